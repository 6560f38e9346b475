// What a thread does to memory.
#pragma once

enum Kind { LOAD, STORE, ATOMIC };
