// Finds two threads at one address, one of them writing, and nothing that orders them.
//
// The cell is compiled with -fsanitize=thread, which puts a call before every load and store, and linked with our
// functions in place of ThreadSanitizer's. Its own would do for small blocks, but from gcc 13 on they keep apart 255
// threads at most, and say nothing of the races of the others.
//
// What orders two accesses is simple on a device. A barrier orders all threads of a block, so every access belongs to
// an interval between two barriers. Within an interval a warp operation orders the lanes that take part in it, which
// vector clocks of 32 lanes keep. Nothing orders two blocks, and atomics order nothing but themselves. Whether a race
// is found thus depends on the program alone, and not on which thread ran first.
#include "races.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "kind.hpp"

struct uint3 {
    unsigned x, y, z;
};
extern uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr unsigned WORD = 4;
constexpr size_t WORDS_OF_A_PAGE = 1024;
constexpr size_t MOST_REPORTED = 1000;

struct Access {
    uintptr_t instruction;
    unsigned block, thread, interval, clock;
    Kind kind;
    uint8_t bytes;  // of the word: bit i is its byte i
};

// All accesses to a word that a later one may still race with.
struct Cell {
    std::vector<Access> seen;
};

struct Clock {
    unsigned of_lane[32];
};

struct Race {
    uintptr_t address;
    Access later, earlier;
};

std::unordered_map<uintptr_t, std::unique_ptr<Cell[]>> pages;
uintptr_t last_page = ~uintptr_t(0);
Cell* last_cells;
std::vector<Clock> clocks;
unsigned block, interval, thread;
uintptr_t stacks_start, stacks_end;
std::vector<Race> found;
std::set<std::tuple<uintptr_t, uintptr_t, Kind, Kind>> reported;

Cell& cell_of(uintptr_t word) {
    uintptr_t page = word / WORDS_OF_A_PAGE;
    if (page != last_page) {
        auto& cells = pages[page];
        if (!cells) cells.reset(new Cell[WORDS_OF_A_PAGE]);
        last_page = page;
        last_cells = cells.get();
    }
    return last_cells[word % WORDS_OF_A_PAGE];
}

bool conflict(const Access& a, const Access& b) {
    return (a.bytes & b.bytes) && !(a.kind == LOAD && b.kind == LOAD) && !(a.kind == ATOMIC && b.kind == ATOMIC);
}

// Whether an access that was seen happened before what the running thread does now.
bool ordered(const Access& earlier) {
    if (earlier.block != block) return false;
    if (earlier.thread == thread || earlier.interval < interval) return true;
    return earlier.thread / 32 == thread / 32 && clocks[thread].of_lane[earlier.thread % 32] > earlier.clock;
}

// One thread of another block stands for all: nothing will order any of them with what comes.
void forget_doubles(std::vector<Access>& seen) {
    std::vector<Access> kept;
    for (const Access& each : seen) {
        auto same = [&](const Access& other) { return other.kind == each.kind && !(each.bytes & ~other.bytes); };
        if (std::none_of(kept.begin(), kept.end(), same)) kept.push_back(each);
    }
    seen.swap(kept);
}

void touch(uintptr_t word, uint8_t bytes, Kind kind, uintptr_t instruction) {
    std::vector<Access>& seen = cell_of(word).seen;
    Access now{instruction, block, thread, interval, clocks[thread].of_lane[thread % 32], kind, bytes};
    if (!seen.empty() && seen.back().block != block) forget_doubles(seen);
    for (const Access& each : seen)
        if (conflict(each, now) && !ordered(each) && found.size() < MOST_REPORTED &&
            reported.insert({instruction, each.instruction, kind, each.kind}).second)
            found.push_back({word * WORD, now, each});
    // Who races with one of these and comes after `now` races with `now` as well.
    auto covered = [&](const Access& each) {
        return !(each.bytes & ~bytes) && ordered(each) && (each.kind == kind || kind == STORE);
    };
    seen.erase(std::remove_if(seen.begin(), seen.end(), covered), seen.end());
    seen.push_back(now);
}

bool is_the_shims(uintptr_t address) {
    for (const uint3* each : {&threadIdx, &blockIdx, &blockDim, &gridDim})
        if (address - uintptr_t(each) < sizeof(uint3)) return true;
    return false;
}

void access(void* where, unsigned bytes, Kind kind, void* caller) {
    auto first = uintptr_t(where), end = first + bytes;
    if ((first >= stacks_start && first < stacks_end) || is_the_shims(first)) return;
    for (uintptr_t word = first / WORD; word * WORD < end; ++word) {
        unsigned low = first > word * WORD ? unsigned(first - word * WORD) : 0;
        unsigned high = end < (word + 1) * WORD ? unsigned(end - word * WORD) : WORD;
        touch(word, uint8_t((1u << high) - (1u << low)), kind, uintptr_t(caller));
    }
}

void print(FILE* report, const Access& each) {
    unsigned x = blockDim.x, y = blockDim.y, across = gridDim.x, deep = gridDim.y;
    const char* kind = each.kind == LOAD ? "read" : each.kind == STORE ? "write" : "update";
    fprintf(report, " %#lx %s %u %u %u %u %u %u", (unsigned long)each.instruction - 1, kind, each.block % across,
            each.block / across % deep, each.block / across / deep, each.thread % x, each.thread / x % y,
            each.thread / x / y);
}

}  // namespace

void races_stacks(const char* start, size_t bytes) {
    stacks_start = uintptr_t(start);
    stacks_end = stacks_start + bytes;
}

void races_block(unsigned threads) {
    block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    interval = 0;
    clocks.assign(threads, Clock{});
}

void races_thread(unsigned number) { thread = number; }

void races_barrier() { ++interval; }

void races_exchange(unsigned first, unsigned lanes) {
    Clock joined{};
    for (unsigned lane = 0; lane < 32; ++lane) {
        if (!(lanes >> lane & 1)) continue;
        Clock& own = clocks[first + lane];
        ++own.of_lane[lane];
        for (unsigned each = 0; each < 32; ++each) joined.of_lane[each] = std::max(joined.of_lane[each], own.of_lane[each]);
    }
    for (unsigned lane = 0; lane < 32; ++lane)
        if (lanes >> lane & 1) clocks[first + lane] = joined;
}

void races_forget(uintptr_t start, size_t bytes) {
    for (uintptr_t word = start / WORD; word * WORD < start + bytes; ++word) cell_of(word).seen.clear();
}

void races_report(const char* path) {
    FILE* report = fopen(path, "a");
    for (const Race& each : found) {
        fprintf(report, "race %#lx", (unsigned long)each.address);
        print(report, each.later);
        print(report, each.earlier);
        fputc('\n', report);
    }
    fclose(report);
}

#include "compiler_calls.hpp"
