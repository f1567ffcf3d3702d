"""Typst compilers with our layout and fonts: made once, used by one thread at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any, Final

from notify.letters.render.errors import LetterRenderError

if TYPE_CHECKING:
    import typst

_HERE: Final = Path(__file__).parent
LAYOUT: Final = _HERE / "layout"
FONTS: Final = _HERE.parent / "fonts"


class LayoutCompiler:
    """Makes PDFs of the layout's files. Thread-safe: each thread takes a compiler, and gives it back.

    `font_folders` have fonts for scripts that ours lacks. The base text never depends on them, nor on the fonts of the
    machine: where a font of the same name is in several places, ours is taken.
    """

    def __init__(self, font_folders: Sequence[Path], *, system_fonts: bool) -> None:
        self._font_folders = [FONTS, *font_folders]
        self._system_fonts = system_fonts
        self._idle: dict[str, LifoQueue[typst.Compiler]] = {}
        self._fonts: typst.Fonts | None = None

    def compile(self, file: str, inputs: dict[str, str]) -> bytes:
        """The PDF of a file of the layout. The same inputs give the same bytes. Raises `LetterRenderError`."""
        import typst

        with self._compiler(file) as compiler:
            try:
                pdf: Any = compiler.compile(
                    sys_inputs=inputs, format="pdf", pdf_standards="1.7", timestamp=0, pdf_tags=False
                )
            except typst.TypstError as error:
                # the message may have text of the letter in it
                raise LetterRenderError(f"{file} cannot be laid out") from error
        return bytes(pdf)

    @contextmanager
    def _compiler(self, file: str) -> Iterator[typst.Compiler]:
        idle = self._idle.setdefault(file, LifoQueue())
        try:
            compiler = idle.get_nowait()
        except Empty:
            compiler = self._make(file)
        try:
            yield compiler
        finally:
            idle.put(compiler)

    def _make(self, file: str) -> typst.Compiler:
        import typst  # most processes never render a letter

        if self._fonts is None:
            self._fonts = typst.Fonts(
                include_system_fonts=self._system_fonts, include_embedded_fonts=False, font_paths=self._font_folders
            )
        return typst.Compiler(LAYOUT / file, root=LAYOUT, font_paths=self._fonts)


def layout_version() -> str:
    """Changes with every file of the layout and with the version of Typst."""
    from importlib.metadata import version

    digest = sha1(version("typst").encode(), usedforsecurity=False)
    for file in sorted([*LAYOUT.glob("*.typ"), *FONTS.glob("*.ttf")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()
