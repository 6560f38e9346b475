import pytest

from ai_research_skills.lab.cuda.signature import Parameter, kernels, parameters_of

TEXT = """
// __global__ void hidden(int x) {}
/* __global__ void hidden_too(int x) {} */
const char* said = "__global__ void quoted(int x)";
__device__ float twice(float x) { return 2 * x; }
extern "C" __global__ void __launch_bounds__(256, 2)
    scale(const float* __restrict__ x,   // "in", (of course)
          float* __restrict__ out, unsigned int n) { }
template <typename T, int N = 4>
static __global__ __launch_bounds__(128) void fill(T* out, T value, unsigned char const flags[], std::size_t n) {}
__global__
void
nothing(void) {}
"""


def test_only_kernels_are_found() -> None:
    assert list(kernels(TEXT)) == ["scale", "fill", "nothing"]
    assert kernels(TEXT)["fill"].template == ("T", "N")
    assert kernels(TEXT)["nothing"].parameters == ()


def test_parameters_lose_their_qualifiers() -> None:
    assert parameters_of(TEXT, "scale") == (
        Parameter("x", "float", True),
        Parameter("out", "float", True),
        Parameter("n", "unsigned int", False),
    )


def test_template_types_are_filled_in() -> None:
    assert parameters_of(TEXT, "fill<half, 8>") == (
        Parameter("out", "half", True),
        Parameter("value", "half", False),
        Parameter("flags", "unsigned char", True),
        Parameter("n", "size_t", False),
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [("hidden", "it defines fill, nothing, scale"), ("fill", "'fill<T, N>'"), ("scale<4>", "'scale'")],
)
def test_expressions_that_name_no_kernel(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parameters_of(TEXT, expression)
