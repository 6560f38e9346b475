// gpu.hpp, which stands before every cell, has all of it.
