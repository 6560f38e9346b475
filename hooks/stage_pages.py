"""The door of mkdocs-gen-files: it runs this script before every build."""

from __future__ import annotations

import os
from pathlib import Path

import mkdocs_gen_files
from mkdocs_gen_files.editor import FilesEditor

from hooks.repository import site_content
from hooks.site_pages import site_pages
from hooks.staged import Staged


def stage(staged: Staged, docs: Path, root: Path) -> None:
    """Hand one file to MkDocs, with the address of what a reader would edit."""
    binary = isinstance(staged.content, bytes)
    with mkdocs_gen_files.open(staged.path, "wb" if binary else "w") as file:
        file.write(staged.content)
    if staged.source:
        edit = Path(os.path.relpath(root / staged.source, docs)).as_posix()
        mkdocs_gen_files.set_edit_path(staged.path, edit)


def main() -> None:
    """Stage every generated page of the repository that `mkdocs.yml` stands in."""
    config = FilesEditor.current().config
    root = Path(config.config_file_path).parent
    for staged in site_pages(site_content(root, config.repo_url or "", config.site_url or "")):
        stage(staged, Path(config.docs_dir), root)


main()
