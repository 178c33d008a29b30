"""What leans on the inside of WeasyPrint and pydyf: `docs/patches.md` lists it."""

from adapters.fonts import use_bundled_fonts

use_bundled_fonts()  # before WeasyPrint is imported, whichever module is first
