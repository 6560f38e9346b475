// Runs a grid on one core: a fibre for every thread of a block, resumed in order, and blocks one after another.
//
// A fibre runs until it waits at a barrier or a warp operation, or returns. Whoever arrives last wakes the others. If
// nobody can run and somebody still waits, the kernel would hang on the device too (or be undefined), and we say who
// waits where. The order is always the same, so a kernel that goes wrong does so every time.
//
// This file is compiled without instrumentation. The detector of races is told what orders two fibres, barriers and
// warp operations: a missing barrier is found although nothing here runs at the same time.
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#include <sys/mman.h>
#include <unistd.h>

#if GPU_RACES
#include "races.hpp"
#elif GPU_BOUNDS
#include <sanitizer/common_interface_defs.h>
#elif GPU_TRACE
#include "trace.hpp"
#endif

struct uint3 {
    unsigned x, y, z;
};
uint3 threadIdx, blockIdx, blockDim, gridDim;

struct GpuExchange {
    uint64_t value[32];
    unsigned lanes;
};
extern "C" void gpu_call(void** arguments);
extern "C" void gpu_fail(const char* format, ...) __attribute__((noreturn, format(printf, 1, 2)));

namespace {

// ---- Contexts. ucontext asks the kernel for the signal mask at each switch; this does not.
struct Context {
    void* stack_pointer;
};
extern "C" void gpu_switch(Context* from, Context* to);
#if defined(__x86_64__)
constexpr size_t SAVED_WORDS = 7;
constexpr size_t RETURN_WORD = 6;
asm(R"(
.text
.globl gpu_switch
.type gpu_switch, @function
gpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size gpu_switch, .-gpu_switch
)");
#elif defined(__aarch64__)
constexpr size_t SAVED_WORDS = 20;
constexpr size_t RETURN_WORD = 11;
asm(R"(
.text
.globl gpu_switch
.type gpu_switch, %function
gpu_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    ldr x9, [x1]
    mov sp, x9
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size gpu_switch, .-gpu_switch
)");
#else
#error "the fibres know x86-64 and aarch64 only"
#endif

enum State { RUNNABLE, WAITING, FINISHED };

struct Fibre {
    Context context;
    char* stack;
    State state;
    unsigned number;
    uint3 index;
    const char* waits_at;
    int line;
    unsigned lanes;  // of a warp operation; 0 at a barrier of the block
    uint64_t value;
    int count;
    const GpuExchange* answer;
    void* fake_stack;
};

// Slots of answers per warp. A lane reads its answer before its next operation, so 32 lanes need no more than 64.
constexpr unsigned SLOTS = 64;
struct Warp {
    unsigned lanes;  // that exist
    unsigned turn;
    GpuExchange answers[SLOTS];
};

#if GPU_RACES || GPU_BOUNDS
constexpr size_t STACK_BYTES = 256 << 10;
#else
constexpr size_t STACK_BYTES = 128 << 10;
#endif

[[maybe_unused]] constexpr size_t ROOM_BYTES = 1 << 20;

struct Memory {
    char* start;
    size_t bytes;
};

std::vector<Fibre> fibres;
std::vector<Warp> warps;
std::vector<Memory> shared;
Fibre* current;
Context scheduler;
[[maybe_unused]] void* scheduler_fake_stack;
[[maybe_unused]] const void* scheduler_stack;
[[maybe_unused]] size_t scheduler_stack_bytes;
void** kernel_arguments;
const char* report_path;
char* stacks;
char* dynamic_shared;
size_t dynamic_shared_bytes;
unsigned barrier_waiting, barrier_sum;

void enter(Fibre& fibre) {
    current = &fibre;
    threadIdx = fibre.index;
#if GPU_RACES
    races_thread(fibre.number);
#elif GPU_BOUNDS
    __sanitizer_start_switch_fiber(&scheduler_fake_stack, fibre.stack, STACK_BYTES);
#elif GPU_TRACE
    trace_thread(fibre.number);
#endif
    gpu_switch(&scheduler, &fibre.context);
#if GPU_BOUNDS
    __sanitizer_finish_switch_fiber(scheduler_fake_stack, nullptr, nullptr);
#endif
}

void leave(Fibre& fibre) {
#if GPU_BOUNDS
    __sanitizer_start_switch_fiber(fibre.state == FINISHED ? nullptr : &fibre.fake_stack, scheduler_stack,
                                   scheduler_stack_bytes);
#endif
    gpu_switch(&fibre.context, &scheduler);
#if GPU_BOUNDS
    __sanitizer_finish_switch_fiber(fibre.fake_stack, &scheduler_stack, &scheduler_stack_bytes);
#endif
}

void body() {
#if GPU_BOUNDS
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_stack_bytes);
#endif
    gpu_call(kernel_arguments);
    current->state = FINISHED;
    leave(*current);
    abort();
}

void sleep_until_woken(Fibre& fibre, const char* name, int line, unsigned lanes) {
    fibre.waits_at = name;
    fibre.line = line;
    fibre.lanes = lanes;
    fibre.state = WAITING;
}

// ---- One block
// Bytes of 0xff are a NaN and -1: what the device leaves there is undefined too, but less telling. The next block gets
// shared memory new, so what the last one did to it is forgotten.
void renew(const Memory& memory) {
#if GPU_RACES
    races_forget(uintptr_t(memory.start), memory.bytes);
#endif
    memset(memory.start, 0xff, memory.bytes);
}

// No function of this file has a static variable: host.py takes those for shared memory.
void prepare_memory() {
    if (dynamic_shared_bytes) {
        free(dynamic_shared);
        if (posix_memalign(reinterpret_cast<void**>(&dynamic_shared), 128, dynamic_shared_bytes)) abort();
        renew({dynamic_shared, dynamic_shared_bytes});
    }
    for (const Memory& each : shared) renew(each);
}

void start_fibres() {
    size_t threads = fibres.size();
    warps.resize((threads + 31) / 32);
    for (size_t number = 0; number < threads; ++number) {
        Fibre& fibre = fibres[number];
        fibre.number = unsigned(number);
        fibre.index = {unsigned(number % blockDim.x), unsigned(number / blockDim.x % blockDim.y),
                       unsigned(number / blockDim.x / blockDim.y)};
        fibre.stack = stacks + number * STACK_BYTES;
        fibre.state = RUNNABLE;
        // Both calling conventions want 16 bytes of alignment, hence an even number of words.
        auto top = reinterpret_cast<uintptr_t>(fibre.stack + STACK_BYTES - 64);
        auto* saved = reinterpret_cast<void**>(top) - (SAVED_WORDS + SAVED_WORDS % 2);
        memset(saved, 0, SAVED_WORDS * sizeof(void*));
        saved[RETURN_WORD] = reinterpret_cast<void*>(&body);
        fibre.context.stack_pointer = saved;
    }
    for (size_t warp = 0; warp < warps.size(); ++warp) {
        size_t lanes = threads - 32 * warp < 32 ? threads - 32 * warp : 32;
        warps[warp].lanes = lanes == 32 ? 0xffffffffu : (1u << lanes) - 1;
        warps[warp].turn = 0;
    }
    barrier_waiting = barrier_sum = 0;
#if GPU_RACES
    races_block(unsigned(threads));
#endif
}

[[noreturn]] void report_deadlock() {
    const Fibre* waiting = nullptr;
    size_t together = 0, finished = 0;
    for (const Fibre& each : fibres) {
        if (each.state == FINISHED) ++finished;
        else if (!waiting) waiting = &each;
    }
    std::string elsewhere;
    const Fibre* other = nullptr;
    for (const Fibre& each : fibres) {
        if (each.state == FINISHED) continue;
        if (each.line == waiting->line && !strcmp(each.waits_at, waiting->waits_at)) ++together;
        else if (!other) other = &each;
    }
    if (other)
        elsewhere = ", others at " + std::string(other->waits_at) + " on line " + std::to_string(other->line);
    if (finished) elsewhere += ", " + std::to_string(finished) + " have finished";
    gpu_fail("block (%u, %u, %u) never ends: %zu of %zu threads wait at %s on line %d%s "
             "→ every thread must reach the same one",
             blockIdx.x, blockIdx.y,
             blockIdx.z, together, fibres.size(), waiting->waits_at, waiting->line, elsewhere.c_str());
}

void run_block() {
    prepare_memory();
    start_fibres();
    for (bool left = true; left;) {
        left = false;
        bool moved = false;
        for (Fibre& each : fibres) {
            if (each.state == RUNNABLE) {
                enter(each);
                moved = true;
            }
            left |= each.state != FINISHED;
        }
        if (left && !moved) report_deadlock();
    }
#if GPU_TRACE
    trace_block_ends();
#endif
}

// ---- The file with the launch: see `launch_file` in host.py.
struct Reader {
    std::vector<char> bytes;
    size_t at = 0;
    uint64_t word() {
        uint64_t value;
        memcpy(&value, bytes.data() + at, 8);
        at += 8;
        return value;
    }
};

}  // namespace

extern "C" {

void gpu_fail(const char* format, ...) {
    va_list rest;
    va_start(rest, format);
    if (FILE* report = fopen(report_path, "a")) {
        fputs("error ", report);
        vfprintf(report, format, rest);
        fputc('\n', report);
        fclose(report);
    }
    va_end(rest);
    fflush(stdout);
    _exit(3);
}

unsigned gpu_lane(void) { return current->number % 32; }

void* gpu_dynamic_shared(void) { return dynamic_shared; }

int gpu_barrier(int value, const char* name, int line) {
    Fibre& me = *current;
    sleep_until_woken(me, name, line, 0);
    barrier_sum += unsigned(value);
    if (++barrier_waiting == fibres.size()) {
        for (Fibre& each : fibres)
            if (each.line != line || strcmp(each.waits_at, name)) report_deadlock();
        for (Fibre& each : fibres) {
            each.count = int(barrier_sum);
            each.state = RUNNABLE;
        }
        barrier_waiting = barrier_sum = 0;
#if GPU_RACES
        races_barrier();
#endif
    }
    leave(me);
    return me.count;
}

const GpuExchange* gpu_exchange(unsigned lanes, uint64_t value, const char* name, int line) {
    Fibre& me = *current;
    Warp& warp = warps[me.number / 32];
    unsigned lane = me.number % 32;
    lanes &= warp.lanes;
    if (!(lanes >> lane & 1))
        gpu_fail("%s on line %d: lane %u calls it but is not in its mask 0x%08x → add it to the mask", name, line, lane, lanes);
    me.value = value;
    sleep_until_woken(me, name, line, lanes);
    Fibre* first = &fibres[me.number - lane];
    bool complete = true;
    for (unsigned other = 0; other < 32 && complete; ++other)
        if (lanes >> other & 1)
            complete = first[other].state == WAITING && first[other].lanes == lanes && first[other].line == line &&
                       !strcmp(first[other].waits_at, name);
    if (complete) {
        unsigned slot = warp.turn++ % SLOTS;
        GpuExchange& answer = warp.answers[slot];
        answer.lanes = lanes;
#if GPU_RACES
        races_exchange(me.number - lane, lanes);
#endif
        for (unsigned other = 0; other < 32; ++other) {
            if (!(lanes >> other & 1)) continue;
            answer.value[other] = first[other].value;
            first[other].answer = &answer;
            first[other].state = RUNNABLE;
        }
    }
    leave(me);
    return me.answer;
}

}  // extern "C"

int main(int, char** path) {
    report_path = path[3];
    Reader reader;
    FILE* input = fopen(path[1], "rb");
    fseek(input, 0, SEEK_END);
    reader.bytes.resize(size_t(ftell(input)));
    rewind(input);
    if (fread(reader.bytes.data(), 1, reader.bytes.size(), input) != reader.bytes.size()) return 4;
    fclose(input);
    for (unsigned* each : {&gridDim.x, &gridDim.y, &gridDim.z, &blockDim.x, &blockDim.y, &blockDim.z})
        *each = unsigned(reader.word());
    dynamic_shared_bytes = reader.word();
    std::vector<Memory> buffers(reader.word());
    FILE* report = fopen(report_path, "w");
    for (size_t each = 0; each < buffers.size(); ++each) {
        Memory& buffer = buffers[each];
        buffer.bytes = reader.word();
#if GPU_RACES
        // Room on both sides: what a kernel writes beside its arrays must not hit the detector's own memory.
        void* room = mmap(nullptr, buffer.bytes + 2 * ROOM_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED) return 4;
        buffer.start = static_cast<char*>(room) + ROOM_BYTES;
#else
        // Exactly its size, so that AddressSanitizer's red zone begins at the first byte that is not the caller's.
        if (posix_memalign(reinterpret_cast<void**>(&buffer.start), 256, buffer.bytes)) return 4;
#endif
        memcpy(buffer.start, reader.bytes.data() + reader.at, buffer.bytes);
        reader.at += (buffer.bytes + 7) / 8 * 8;
        fprintf(report, "buffer %zu %p %zu\n", each, static_cast<void*>(buffer.start), buffer.bytes);
#if GPU_TRACE
        trace_buffer(uintptr_t(buffer.start), buffer.bytes);
#endif
    }
    fclose(report);
    // A pointer argument is the number of its buffer, a value its own 8 bytes.
    size_t count = reader.word();
    std::vector<uint64_t> values(count);
    std::vector<void*> arguments(count);
    for (size_t each = 0; each < count; ++each) {
        bool pointer = reader.word();
        values[each] = reader.word();
        if (pointer) values[each] = uint64_t(buffers[values[each]].start);
        arguments[each] = &values[each];
    }
    kernel_arguments = arguments.data();
    shared.resize(reader.word());
    for (Memory& each : shared) {
        each.start = reinterpret_cast<char*>(reader.word());
        each.bytes = reader.word();
#if GPU_TRACE
        trace_shared(uintptr_t(each.start), each.bytes);
#endif
    }
    size_t threads = size_t(blockDim.x) * blockDim.y * blockDim.z;
    fibres.resize(threads);
#if GPU_TRACE
    trace_threads(threads);
#endif
    size_t stack_bytes = threads * STACK_BYTES;
    void* mapped = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) gpu_fail("no memory for the stacks of %zu threads → take smaller blocks", threads);
    stacks = static_cast<char*>(mapped);
#if GPU_RACES
    races_stacks(stacks, stack_bytes);
#endif
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) run_block();
    fflush(stdout);
#if GPU_TRACE
    trace_report(report_path);
#elif GPU_RACES
    races_report(report_path);
#endif
    FILE* output = fopen(path[2], "wb");
    for (const Memory& each : buffers) fwrite(each.start, 1, each.bytes, output);
    fclose(output);
    return 0;
}
