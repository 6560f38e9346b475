// Counts what a warp asks of memory: sectors of 32 bytes, and wavefronts of the shared memory's 32 banks.
//
// The cell is compiled with -fsanitize=thread, which puts a call before every load and store, and linked with our
// functions in place of ThreadSanitizer's. Lanes of a warp that execute one instruction for the nth time form
// one request, as they do on the device wherever a warp has not diverged; the instruction is the return address.
#include "trace.hpp"

#include "kind.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unordered_map>
#include <vector>

namespace {

constexpr unsigned SECTOR = 32;
constexpr unsigned BANKS = 32;

struct Request {
    unsigned lanes = 0;
    uintptr_t address[32];
};

struct Site {
    uintptr_t instruction;
    int target;  // number of the buffer, or -1 - number of the shared variable
    Kind kind;
    unsigned bytes;
    std::vector<unsigned> executions;             // by thread, in this block
    std::vector<std::vector<Request>> requests;   // by warp, in this block
    uint64_t total_requests = 0, total_transactions = 0, total_ideal = 0, total_bytes = 0;
};

struct Range {
    uintptr_t start, end;
};

constexpr int NOWHERE = 1 << 20;
std::vector<Range> buffers, shared;
std::vector<Site> sites;
std::unordered_map<uint64_t, unsigned> site_of;
uint64_t last_key = 0;
unsigned last_site = 0;
size_t threads;
unsigned thread;

// The stack of a thread, where its arrays and spilled registers are, is in no range and not counted.
int target_of(uintptr_t address) {
    for (size_t each = 0; each < shared.size(); ++each)
        if (address - shared[each].start < shared[each].end - shared[each].start) return -1 - int(each);
    for (size_t each = 0; each < buffers.size(); ++each)
        if (address - buffers[each].start < buffers[each].end - buffers[each].start) return int(each);
    return NOWHERE;
}

void access(void* where, unsigned bytes, Kind kind, void* caller) {
    auto address = uintptr_t(where);
    int target = target_of(address);
    if (target == NOWHERE) return;
    uint64_t key = uint64_t(uintptr_t(caller)) << 8 | uint64_t(uint8_t(target));
    unsigned at = last_site;
    if (key != last_key || sites.empty()) {
        auto [entry, fresh] = site_of.try_emplace(key, unsigned(sites.size()));
        if (fresh) {
            sites.push_back({uintptr_t(caller), target, kind, bytes, {}, {}});
            sites.back().executions.resize(threads);
            sites.back().requests.resize((threads + 31) / 32);
        }
        last_key = key;
        last_site = at = entry->second;
    }
    Site& site = sites[at];
    unsigned nth = site.executions[thread]++;
    auto& requests = site.requests[thread / 32];
    if (nth >= requests.size()) requests.resize(nth + 1);
    requests[nth].lanes |= 1u << thread % 32;
    requests[nth].address[thread % 32] = address;
}

unsigned sectors(const Request& request, unsigned bytes) {
    std::vector<uintptr_t> touched;
    for (unsigned lane = 0; lane < 32; ++lane)
        if (request.lanes >> lane & 1)
            for (uintptr_t each = request.address[lane] / SECTOR; each <= (request.address[lane] + bytes - 1) / SECTOR;
                 ++each)
                touched.push_back(each);
    std::sort(touched.begin(), touched.end());
    return unsigned(std::unique(touched.begin(), touched.end()) - touched.begin());
}

// Distinct words of one bank are served one after another; lanes that want the same word share it. A warp's 8 and 16
// bytes per lane are served as two halves and four quarters. `ideal` is one wavefront for each part with a lane in it.
unsigned wavefronts(const Request& request, unsigned bytes, unsigned& ideal) {
    unsigned parts = bytes > 8 ? 4 : bytes > 4 ? 2 : 1, lanes = 32 / parts, sum = 0;
    ideal = 0;
    for (unsigned part = 0; part < parts; ++part) {
        std::vector<uintptr_t> words;
        for (unsigned lane = part * lanes; lane < (part + 1) * lanes; ++lane)
            if (request.lanes >> lane & 1)
                for (uintptr_t word = request.address[lane] / 4; word <= (request.address[lane] + bytes - 1) / 4; ++word)
                    words.push_back(word);
        if (words.empty()) continue;
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        unsigned busy[BANKS] = {}, most = 0;
        for (uintptr_t word : words) most = std::max(most, ++busy[word % BANKS]);
        sum += most;
        ++ideal;
    }
    return sum;
}

}  // namespace

void trace_buffer(uintptr_t start, size_t bytes) { buffers.push_back({start, start + bytes}); }
void trace_shared(uintptr_t start, size_t bytes) { shared.push_back({start, start + bytes}); }
void trace_threads(size_t count) { threads = count; }
void trace_thread(unsigned number) { thread = number; }

void trace_block_ends() {
    for (Site& site : sites) {
        for (auto& warp : site.requests) {
            for (const Request& request : warp) {
                unsigned ideal = 0;
                if (!request.lanes) continue;
                ++site.total_requests;
                site.total_bytes += uint64_t(__builtin_popcount(request.lanes)) * site.bytes;
                if (site.target < 0) {
                    site.total_transactions += wavefronts(request, site.bytes, ideal);
                    site.total_ideal += ideal;
                } else {
                    site.total_transactions += sectors(request, site.bytes);
                }
            }
            warp.clear();
        }
        std::fill(site.executions.begin(), site.executions.end(), 0u);
    }
}

void trace_report(const char* path) {
    FILE* report = fopen(path, "a");
    for (const Site& site : sites)
        fprintf(report, "site %#lx %d %s %u %lu %lu %lu %lu\n", (unsigned long)site.instruction - 1, site.target,
                site.kind == LOAD ? "load" : site.kind == STORE ? "store" : "atomic", site.bytes,
                (unsigned long)site.total_requests, (unsigned long)site.total_transactions,
                (unsigned long)site.total_ideal, (unsigned long)site.total_bytes);
    fclose(report);
}

#include "compiler_calls.hpp"
