// What g++ calls before every load and store of a cell that it compiles with -fsanitize=thread; names and signatures
// are ThreadSanitizer's. To be included once, by whoever defines
//     void access(void* where, unsigned bytes, Kind kind, void* caller);
// where `caller` is the address after the call.
#include <cstdint>

#define CALLER __builtin_return_address(0)
extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_read_range(void* where, unsigned long bytes) { access(where, unsigned(bytes), LOAD, CALLER); }
void __tsan_write_range(void* where, unsigned long bytes) { access(where, unsigned(bytes), STORE, CALLER); }
#define PLAIN(BYTES)                                                                              \
    void __tsan_read##BYTES(void* where) { access(where, BYTES, LOAD, CALLER); }                  \
    void __tsan_write##BYTES(void* where) { access(where, BYTES, STORE, CALLER); }                \
    void __tsan_volatile_read##BYTES(void* where) { access(where, BYTES, LOAD, CALLER); }         \
    void __tsan_volatile_write##BYTES(void* where) { access(where, BYTES, STORE, CALLER); }       \
    void __tsan_unaligned_read##BYTES(void* where) { access(where, BYTES, LOAD, CALLER); }        \
    void __tsan_unaligned_write##BYTES(void* where) { access(where, BYTES, STORE, CALLER); }
PLAIN(1) PLAIN(2) PLAIN(4) PLAIN(8) PLAIN(16)

// Our atomics are a load and a compare-exchange: the exchange is the one request that the device makes.
#define ATOMICS(BITS, T)                                                                                             \
    T __tsan_atomic##BITS##_load(const volatile T* where, int) { return *where; }                                    \
    void __tsan_atomic##BITS##_store(volatile T* where, T value, int) {                                              \
        access(const_cast<T*>(where), sizeof(T), STORE, CALLER);                                                     \
        *where = value;                                                                                              \
    }                                                                                                                \
    int __tsan_atomic##BITS##_compare_exchange_strong(volatile T* where, T* expected, T value, int, int) {           \
        access(const_cast<T*>(where), sizeof(T), ATOMIC, CALLER);                                                    \
        if (*where != *expected) return *expected = *where, 0;                                                       \
        return *where = value, 1;                                                                                    \
    }                                                                                                                \
    int __tsan_atomic##BITS##_compare_exchange_weak(volatile T* where, T* expected, T value, int, int) {             \
        access(const_cast<T*>(where), sizeof(T), ATOMIC, CALLER);                                                    \
        if (*where != *expected) return *expected = *where, 0;                                                       \
        return *where = value, 1;                                                                                    \
    }                                                                                                                \
    T __tsan_atomic##BITS##_compare_exchange_val(volatile T* where, T expected, T value, int, int) {                 \
        access(const_cast<T*>(where), sizeof(T), ATOMIC, CALLER);                                                    \
        T before = *where;                                                                                           \
        if (before == expected) *where = value;                                                                      \
        return before;                                                                                               \
    }
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
void __tsan_atomic_thread_fence(int) {}
}
