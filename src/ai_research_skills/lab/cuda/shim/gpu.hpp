// What a CUDA C++ cell sees of the GPU when g++ compiles it for the host.
//
// One CUDA thread is one fibre (see fibres.cpp); blocks run one after another. A cell sees the names of the CUDA C++
// Programming Guide and nothing of how they are done. Everything here is compiled with the cell's own flags, so a
// sanitizer sees its memory accesses; what must stay unseen lives in fibres.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cassert>
#include <math.h>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
// A bank is decided by the address, so every array starts at bank 0. Where the arrays are, host.py reads from the
// program's symbols: a static variable of a function is one (a section of their own is ignored in templates).
// gcc guards no variable that is aligned to more than 64 bytes.
#if defined(__SANITIZE_ADDRESS__)
#define __shared__ static __attribute__((aligned(32)))
#else
#define __shared__ static __attribute__((aligned(128)))
#endif
#define __align__(n) __attribute__((aligned(n)))

// ---- Vectors
#define GPU_VECTOR2(NAME, T)                                                                                          \
    struct alignas(2 * sizeof(T)) NAME {                                                                              \
        T x, y;                                                                                                       \
    };                                                                                                                \
    static inline NAME make_##NAME(T x, T y) { return NAME{x, y}; }
#define GPU_VECTOR3(NAME, T)                                                                                          \
    struct NAME {                                                                                                     \
        T x, y, z;                                                                                                    \
    };                                                                                                                \
    static inline NAME make_##NAME(T x, T y, T z) { return NAME{x, y, z}; }
#define GPU_VECTOR4(NAME, T)                                                                                          \
    struct alignas(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) NAME {                                                    \
        T x, y, z, w;                                                                                                 \
    };                                                                                                                \
    static inline NAME make_##NAME(T x, T y, T z, T w) { return NAME{x, y, z, w}; }
#define GPU_VECTORS(T, NAME) GPU_VECTOR2(NAME##2, T) GPU_VECTOR3(NAME##3, T) GPU_VECTOR4(NAME##4, T)
GPU_VECTORS(float, float)
GPU_VECTORS(int, int)
GPU_VECTORS(unsigned, uint)
GPU_VECTORS(unsigned char, uchar)
GPU_VECTOR2(double2, double)

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

// The scheduler sets these before it resumes a fibre.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
static constexpr int warpSize = 32;

// ---- What fibres.cpp does. `line` is the line of the cell, so that a deadlock can name the barrier.
struct GpuExchange {
    uint64_t value[32];
    unsigned lanes;
};
extern "C" {
int gpu_barrier(int value, const char* name, int line);
const GpuExchange* gpu_exchange(unsigned lanes, uint64_t value, const char* name, int line);
void gpu_fail(const char* format, ...) __attribute__((noreturn, format(printf, 1, 2)));
unsigned gpu_lane(void);
void* gpu_dynamic_shared(void);
void gpu_call(void** arguments);
}
template <class... P>
static void gpu_invoke(void (*kernel)(P...), void** arguments) {
    int at = 0;
    auto next = [&] { return arguments[at++]; };
    struct Call {
        void (*kernel)(P...);
        Call(void (*kernel)(P...), P... values) { kernel(values...); }
    } call{kernel, *static_cast<std::remove_cv_t<P>*>(next())...};
}

// ---- Barriers and warps
#define GPU_HERE int line = __builtin_LINE()
static inline void __syncthreads(GPU_HERE) { gpu_barrier(0, "__syncthreads()", line); }
static inline int __syncthreads_count(int p, GPU_HERE) { return gpu_barrier(!!p, "__syncthreads_count()", line); }
static inline int __syncthreads_or(int p, GPU_HERE) { return gpu_barrier(!!p, "__syncthreads_or()", line) != 0; }
static inline int __syncthreads_and(int p, GPU_HERE) { return gpu_barrier(!p, "__syncthreads_and()", line) == 0; }
static inline void __syncwarp(unsigned lanes = 0xffffffffu, GPU_HERE) { gpu_exchange(lanes, 0, "__syncwarp()", line); }
static inline void __threadfence() {}
static inline void __threadfence_block() {}

template <class T>
static inline T gpu_shuffle(unsigned lanes, T value, unsigned from, const char* name, int line) {
    static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
    uint64_t bits = 0;
    __builtin_memcpy(&bits, &value, sizeof(T));
    const GpuExchange* all = gpu_exchange(lanes, bits, name, line);
    if (!(all->lanes >> from & 1))
        gpu_fail("%s on line %d: lane %u reads lane %u, which takes no part in it → have all lanes call it", name, line, gpu_lane(), from);
    __builtin_memcpy(&value, &all->value[from], sizeof(T));
    return value;
}
// Lanes beyond the segment of `width` lanes keep their own value, as the Programming Guide says.
template <class T>
static inline T __shfl_sync(unsigned lanes, T value, int from, int width = 32, GPU_HERE) {
    unsigned first = gpu_lane() & ~unsigned(width - 1);
    return gpu_shuffle(lanes, value, first + (unsigned(from) & unsigned(width - 1)), "__shfl_sync()", line);
}
template <class T>
static inline T __shfl_up_sync(unsigned lanes, T value, unsigned by, int width = 32, GPU_HERE) {
    unsigned me = gpu_lane(), place = me & unsigned(width - 1);
    return gpu_shuffle(lanes, value, place >= by ? me - by : me, "__shfl_up_sync()", line);
}
template <class T>
static inline T __shfl_down_sync(unsigned lanes, T value, unsigned by, int width = 32, GPU_HERE) {
    unsigned me = gpu_lane(), place = me & unsigned(width - 1);
    return gpu_shuffle(lanes, value, place + by < unsigned(width) ? me + by : me, "__shfl_down_sync()", line);
}
template <class T>
static inline T __shfl_xor_sync(unsigned lanes, T value, int with, int width = 32, GPU_HERE) {
    unsigned me = gpu_lane(), first = me & ~unsigned(width - 1), other = me ^ unsigned(with);
    return gpu_shuffle(lanes, value, other < first + unsigned(width) ? other : me, "__shfl_xor_sync()", line);
}
static inline unsigned gpu_ballot(unsigned lanes, bool p, const char* name, int line) {
    const GpuExchange* all = gpu_exchange(lanes, p, name, line);
    unsigned votes = 0;
    for (int lane = 0; lane < 32; ++lane) votes |= unsigned(all->lanes >> lane & 1 && all->value[lane]) << lane;
    return votes;
}
static inline unsigned __ballot_sync(unsigned lanes, int p, GPU_HERE) {
    return gpu_ballot(lanes, p, "__ballot_sync()", line);
}
static inline int __any_sync(unsigned lanes, int p, GPU_HERE) { return gpu_ballot(lanes, p, "__any_sync()", line) != 0; }
static inline int __all_sync(unsigned lanes, int p, GPU_HERE) { return gpu_ballot(lanes, !p, "__all_sync()", line) == 0; }
template <class T, class F>
static inline T gpu_reduce(unsigned lanes, T value, F combine, const char* name, int line) {
    const GpuExchange* all = gpu_exchange(lanes, uint64_t(value), name, line);
    bool first = true;
    for (int lane = 0; lane < 32; ++lane) {
        if (!(all->lanes >> lane & 1)) continue;
        value = first ? T(all->value[lane]) : combine(value, T(all->value[lane]));
        first = false;
    }
    return value;
}
#define GPU_REDUCE(NAME, T, RESULT)                                                                                   \
    static inline T NAME(unsigned lanes, T value, GPU_HERE) {                                                         \
        return gpu_reduce(lanes, value, [](T a, T b) { return RESULT; }, #NAME "()", line);                           \
    }
GPU_REDUCE(__reduce_add_sync, unsigned, a + b)
GPU_REDUCE(__reduce_add_sync, int, a + b)
GPU_REDUCE(__reduce_min_sync, unsigned, a < b ? a : b)
GPU_REDUCE(__reduce_min_sync, int, a < b ? a : b)
GPU_REDUCE(__reduce_max_sync, unsigned, a > b ? a : b)
GPU_REDUCE(__reduce_max_sync, int, a > b ? a : b)

// ---- Atomics: relaxed, as on the device, so they order nothing but themselves.
template <class T, class F>
static inline T gpu_atomic(T* where, F change) {
    using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
    Bits* at = reinterpret_cast<Bits*>(where);
    Bits before = __atomic_load_n(at, __ATOMIC_RELAXED);
    T old;
    Bits after;
    do {
        __builtin_memcpy(&old, &before, sizeof(T));
        T changed = change(old);
        __builtin_memcpy(&after, &changed, sizeof(T));
    } while (!__atomic_compare_exchange_n(at, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return old;
}
#define GPU_ATOMIC(NAME, T, RESULT)                                                                                   \
    static inline T NAME(T* where, T value) {                                                                         \
        return gpu_atomic(where, [=](T old) -> T { return RESULT; });                                                 \
    }
#define GPU_ATOMICS(NAME, RESULT)                                                                                     \
    GPU_ATOMIC(NAME, int, RESULT) GPU_ATOMIC(NAME, unsigned, RESULT) GPU_ATOMIC(NAME, unsigned long long, RESULT)
GPU_ATOMICS(atomicAdd, old + value)
GPU_ATOMIC(atomicAdd, float, old + value)
GPU_ATOMIC(atomicAdd, double, old + value)
GPU_ATOMICS(atomicSub, old - value)
GPU_ATOMICS(atomicMin, value < old ? value : old)
GPU_ATOMICS(atomicMax, value > old ? value : old)
GPU_ATOMICS(atomicAnd, old & value)
GPU_ATOMICS(atomicOr, old | value)
GPU_ATOMICS(atomicXor, old ^ value)
GPU_ATOMICS(atomicExch, (void(old), value))
GPU_ATOMIC(atomicExch, float, (void(old), value))
GPU_ATOMIC(atomicInc, unsigned, old >= value ? 0 : old + 1)
template <class T>
static inline T atomicCAS(T* where, T expected, T value) {
    return gpu_atomic(where, [=](T old) { return old == expected ? value : old; });
}

// ---- Arithmetic
template <class T>
static inline T __ldg(const T* where) { return *where; }
template <class T>
static inline void __stcs(T* where, T value) { *where = value; }
template <class T>
static inline T __ldcs(const T* where) { return *where; }
#define GPU_MINMAX(T)                                                                                                 \
    static inline T min(T a, T b) { return b < a ? b : a; }                                                           \
    static inline T max(T a, T b) { return a < b ? b : a; }
GPU_MINMAX(int) GPU_MINMAX(unsigned) GPU_MINMAX(long) GPU_MINMAX(unsigned long) GPU_MINMAX(long long)
GPU_MINMAX(unsigned long long)
static inline float min(float a, float b) { return fminf(a, b); }
static inline float max(float a, float b) { return fmaxf(a, b); }
static inline double min(double a, double b) { return fmin(a, b); }
static inline double max(double a, double b) { return fmax(a, b); }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __float2int_rn(float x) { return int(nearbyintf(x)); }
static inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
static inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
static inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
static inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
// glibc declares functions of these names, so ours cannot be functions.
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __exp10f(x) exp10f(x)

// ---- Sixteen bits: IEEE half is the compiler's own type; bfloat16 is the upper half of a float.
#if defined(__aarch64__)
typedef __fp16 half;
#else
typedef _Float16 half;
#endif
typedef half __half;
struct alignas(4) half2 {
    half x, y;
};
typedef half2 __half2;
static inline half __float2half(float x) { return half(x); }
static inline half __float2half_rn(float x) { return half(x); }
static inline float __half2float(half x) { return float(x); }
static inline half2 __floats2half2_rn(float x, float y) { return half2{half(x), half(y)}; }
static inline float2 __half22float2(half2 v) { return float2{float(v.x), float(v.y)}; }
struct __nv_bfloat16 {
    uint16_t bits;
};
static inline float __bfloat162float(__nv_bfloat16 x) { return __uint_as_float(unsigned(x.bits) << 16); }
static inline __nv_bfloat16 __float2bfloat16(float x) {
    unsigned bits = __float_as_uint(x);
    if (x != x) return {0x7fff};
    return {uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};  // to nearest, ties to even
}
