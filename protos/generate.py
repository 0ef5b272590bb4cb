"""Generate the typed Python stubs of the protos, and the image that buf lints and compares.

Third-party protos are not kept here: their descriptors are taken from the installed packages, which requirements.lock
pins. The output depends on the versions of the generators, so they must be the locked ones.
"""

import argparse
import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

import protovalidate
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

PROTOS: Final = Path(__file__).resolve().parent
ROOT: Final = PROTOS.parent
GENERATED: Final = ROOT / "generated"
RELEASED: Final = PROTOS / "released.binpb"
GENERATORS: Final = ("grpcio-tools", "mypy-protobuf", "protobuf", "protovalidate", "googleapis-common-protos")
PLUGINS: Final = ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
VALIDATE: Final = "buf/validate/validate.proto"
IMPORT: Final = re.compile(r'^import\s+(?:public\s+|option\s+)?"([^"]+)"\s*;', re.MULTILINE)


class GenerationError(Exception):
    """Say why nothing was generated."""


def main() -> int:
    """Run the action that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if generated/ is not fresh")
    parser.add_argument("--image", type=Path, help="also write the image for buf to this file")
    parser.add_argument("--release", action="store_true", help=f"keep the image as {RELEASED.name}, never to be broken")
    arguments = parser.parse_args()
    try:
        assert_locked_versions()
        with tempfile.TemporaryDirectory(prefix="protos-") as name:
            return act(Path(name), arguments.image, check=arguments.check, release=arguments.release)
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 1


def act(scratch: Path, image: Path | None, *, check: bool, release: bool) -> int:
    """Generate into scratch, then compare with what is checked in or replace it."""
    sources = {path.relative_to(PROTOS).as_posix(): path for path in sorted(PROTOS.rglob("*.proto"))}
    third = scratch / "third.binpb"
    third.write_bytes(third_party(sources.values()).SerializeToString())
    made = scratch / "image.binpb"
    protoc(third, sources, f"--descriptor_set_out={made}", "--include_imports", "--include_source_info")
    fresh = scratch / "generated"
    fresh.mkdir()
    generate(fresh, third, made)
    if image is not None:
        image.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, image)
    if release:
        protoc(third, sources, f"--descriptor_set_out={RELEASED}", "--include_imports")
    stale = sorted(differing(fresh, GENERATED))
    if check and stale:
        listed = "".join(f"\n  {path}" for path in stale)
        message = f"generated/ is not what the protos say; run `make proto` and commit:{listed}"
        raise GenerationError(message)
    if not check:
        replace(stale, fresh)
    outcome = "is fresh" if check else f"has {len(stale)} changed files"
    print(f"{len(sources)} protos; generated/ {outcome}")
    return 0


def assert_locked_versions() -> None:
    """Refuse generators other than those of requirements.lock: they would write something else."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in GENERATORS:
        locked = re.search(rf"^{re.escape(name)}==(\S+)", lock, re.MULTILINE)
        installed = metadata.version(name)
        if locked is None or locked[1] != installed:
            message = f"{name} {installed} is installed, but locked is {locked and locked[1]}; run `make venv`"
            raise GenerationError(message)


def third_party(sources: Iterable[Path]) -> FileDescriptorSet:
    """Collect what the protos import from others, dependencies first, out of the installed packages."""
    found: dict[str, FileDescriptorProto] = {}

    def collect(path: str) -> None:
        if path not in found:
            file = installed_descriptor(path)
            for dependency in file.dependency:
                collect(dependency)
            found[path] = file

    for source in sources:
        for path in IMPORT.findall(source.read_text(encoding="utf-8")):
            if not (PROTOS / path).exists():
                collect(path)
    return FileDescriptorSet(file=found.values())


def installed_descriptor(path: str) -> FileDescriptorProto:
    """Return the descriptor of a proto that an installed package carries."""
    if path == VALIDATE:
        return FileDescriptorProto.FromString(protovalidate.ViolationPb.desc().file.proto.to_binary())
    module = path.removesuffix(".proto").replace("/", ".") + "_pb2"
    try:
        descriptor = importlib.import_module(module).DESCRIPTOR
    except ModuleNotFoundError as error:
        message = f'import "{path}": neither under protos/ nor in an installed package'
        raise GenerationError(message) from error
    return FileDescriptorProto.FromString(descriptor.serialized_pb)


def generate(out: Path, third: Path, image: Path) -> None:
    """Write messages and their types for every own proto, services and theirs only where a proto has some."""
    described = FileDescriptorSet.FromString(image.read_bytes()).file
    own = [file.name for file in described if (PROTOS / file.name).exists()]
    serving = [file.name for file in described if file.service and file.name in own]
    if any(file.name == VALIDATE for file in described):
        own.append(VALIDATE)  # the generated modules import it, and no package installs its Python module
    protoc(third, own, f"--python_out={out}", f"--mypy_out={out}")
    if serving:
        protoc(third, serving, f"--grpc_python_out={out}", f"--mypy_grpc_out={out}")
    mark_packages(out)


def mark_packages(out: Path) -> None:
    """Make typed packages of the folders; `buf` itself stays a namespace, since others may install parts of it."""
    for folder in sorted(path for path in out.rglob("*") if path.is_dir()):
        name = folder.relative_to(out).as_posix().replace("/", ".")
        if name != "buf":
            (folder / "__init__.py").write_text(f'"""Generated from the protos of {name}."""\n', encoding="utf-8")
            if "." not in name or name.startswith("buf."):
                (folder / "py.typed").touch()


def protoc(third: Path, files: Iterable[str], *options: str) -> None:
    """Run protoc on files; its warnings (unused imports among them) are errors."""
    tools = Path(sys.executable).parent
    plugins = [f"--plugin={name}={shutil.which(name, path=str(tools))}" for name in PLUGINS]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"--descriptor_set_in={third}", *plugins]
    done = subprocess.run([*command, *options, *files], capture_output=True, text=True, check=False, timeout=120)
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Writing ")]
    if done.returncode or complaints:
        raise GenerationError("\n".join(complaints) or f"protoc ended with {done.returncode}")


def differing(fresh: Path, kept: Path) -> Iterator[str]:
    """Name the files that one side lacks or that differ."""
    for path in files_of(fresh) | files_of(kept):
        old, new = kept / path, fresh / path
        if not (old.exists() and new.exists()) or old.read_bytes() != new.read_bytes():
            yield path


def files_of(folder: Path) -> set[str]:
    """List a folder's files, less what Python and mypy leave behind."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts}


def replace(stale: Iterable[str], fresh: Path) -> None:
    """Bring generated/ up to date, touching only what changed."""
    for path in stale:
        old, new = GENERATED / path, fresh / path
        if new.exists():
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new, old)
        else:
            old.unlink()


if __name__ == "__main__":
    sys.exit(main())
