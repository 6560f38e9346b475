// What fibres.cpp tells the tracer.
#pragma once
#include <cstddef>
#include <cstdint>

void trace_buffer(uintptr_t start, size_t bytes);
void trace_shared(uintptr_t start, size_t bytes);
void trace_threads(size_t threads);
void trace_thread(unsigned number);
void trace_block_ends();
void trace_report(const char* path);
