"""Typst with our layout and fonts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from notify.letters.render.errors import LetterRenderError

if TYPE_CHECKING:
    import typst

_HERE: Final = Path(__file__).parent
LAYOUT: Final = _HERE / "layout"
FONTS: Final = _HERE.parent / "fonts"


class LayoutCompiler:
    """Compiles the layout's files to PDFs. Thread-safe; one runs at a time, because Typst holds the GIL.

    `font_folders` have fonts for scripts that ours lacks. The base text never depends on them, nor on the fonts of the
    machine: Typst takes the first of fonts with the same name, and ours come first.
    """

    def __init__(self, font_folders: Sequence[Path], *, system_fonts: bool) -> None:
        self._font_folders = [FONTS, *font_folders]
        self._system_fonts = system_fonts
        self._lock = Lock()
        self._fonts: typst.Fonts | None = None
        self._fonts_version = ""
        self._compilers: dict[str, typst.Compiler] = {}

    def compile(self, file: str, inputs: dict[str, str]) -> bytes:
        """The PDF of a file of the layout. The same inputs give the same bytes. Raises `LetterRenderError`."""
        import typst  # most processes never render a letter

        with self._lock:
            try:
                pdf: Any = self._compiler(file).compile(
                    sys_inputs=inputs, format="pdf", pdf_standards="1.7", timestamp=0, pdf_tags=False
                )
            except typst.TypstError:
                # drop the cause, whose message may quote the letter
                raise LetterRenderError(f"{file} cannot be laid out") from None
        return bytes(pdf)

    def fonts_version(self) -> str:
        """A hash of the available fonts."""
        with self._lock:
            if not self._fonts_version:
                self._fonts_version = _version(self._loaded_fonts())
            return self._fonts_version

    def _compiler(self, file: str) -> typst.Compiler:
        import typst

        if file not in self._compilers:
            self._compilers[file] = typst.Compiler(LAYOUT / file, root=LAYOUT, font_paths=self._loaded_fonts())
        return self._compilers[file]

    def _loaded_fonts(self) -> typst.Fonts:
        if self._fonts is None:
            self._fonts = _fonts([*self._font_folders, *(_machine_folders() if self._system_fonts else ())])
        return self._fonts


def _fonts(folders: Sequence[Path], *, machine: bool = False) -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=machine, include_embedded_fonts=False, font_paths=list(folders))


def _version(fonts: typst.Fonts) -> str:
    names = [f"{Path(font.path or '').name} {font.family} {font.weight} {font.style}" for font in fonts.fonts()]
    return sha1("\n".join(names).encode(), usedforsecurity=False).hexdigest()


def _machine_folders() -> list[Path]:
    """The folders of the machine's fonts. Typst itself would prefer them to the folders in its arguments."""
    return sorted({Path(font.path).parent for font in _fonts([], machine=True).fonts() if font.path})


def layout_version() -> str:
    """A hash of all files of the layout and the version of Typst."""
    from importlib.metadata import version

    digest = sha1(version("typst").encode(), usedforsecurity=False)
    for file in sorted([*LAYOUT.glob("*.typ"), *FONTS.glob("*.ttf")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()
