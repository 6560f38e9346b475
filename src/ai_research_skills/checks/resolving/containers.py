"""The command that `docker run` starts in an image that releases are published in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

IMAGES: Mapping[str, tuple[str, ...]] = {
    "lmsysorg/sglang": (),
    "rocm/vllm": (),
    "vllm/vllm-openai": ("vllm", "serve"),
    "vllm/vllm-openai-rocm": ("vllm", "serve"),
}
"""What stands before the arguments of an image, as its entry point says. Their words are put to the pinned release,
whatever the tag."""

_TAKE_A_VALUE = """
-a -c -e -h -l -m -p -u -v -w --add-host --cap-add --cpus --cpuset-cpus --device --entrypoint --env --env-file
--gpus --group-add --hostname --ipc --label --log-driver --log-opt --memory --mount --name --net --network
--pid --platform --publish --pull --restart --runtime --security-opt --shm-size --tmpfs --ulimit --user
--volume --volumes-from --workdir
"""
_VALUED = frozenset(_TAKE_A_VALUE.split())
_ENTRY_POINT = "--entrypoint"


def command_in_container(words: Sequence[str]) -> tuple[str, ...] | None:
    """The command that `words` start in the container; None if the image is not one of `IMAGES`."""
    if len(words) < 2 or words[0] not in {"docker", "podman"} or words[1] != "run":
        return None
    rest, entry = list(words[2:]), None
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        name, is_joined, value = option.partition("=")
        if option in _VALUED and rest:
            value = rest.pop(0)
        if name == _ENTRY_POINT and (is_joined or value):
            entry = (value,)
    image = rest[0].partition("@")[0].rpartition(":")[0] or rest[0] if rest else ""
    own = IMAGES.get(image.removeprefix("docker.io/"))
    if own is None:
        return None
    return (*(own if entry is None else entry), *rest[1:])
