// What fibres.cpp tells the detector of races.
#pragma once
#include <cstddef>
#include <cstdint>

void races_stacks(const char* start, size_t bytes);
void races_block(unsigned threads);
void races_thread(unsigned number);
void races_barrier();
void races_exchange(unsigned first, unsigned lanes);
void races_forget(uintptr_t start, size_t bytes);
void races_report(const char* path);
