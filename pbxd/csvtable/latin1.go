package csvtable

// fromLatin1 returns the character of a byte in ISO-8859-1. Its bytes 80 to 9F
// are read as those of Windows-1252, as every browser does (WHATWG Encoding,
// index-windows-1252): programs that write "ISO-8859-1" mean it so, and the
// controls that stand there otherwise are in no file of people.
func fromLatin1(c byte) rune {
	if c < 0x80 || c > 0x9f {
		return rune(c)
	}
	return [32]rune{
		'\u20ac', '\ufffd', '\u201a', '\u0192', '\u201e', '\u2026', '\u2020', '\u2021', '\u02c6', '\u2030', '\u0160', '\u2039', '\u0152', '\ufffd', '\u017d', '\ufffd',
		'\ufffd', '\u2018', '\u2019', '\u201c', '\u201d', '\u2022', '\u2013', '\u2014', '\u02dc', '\u2122', '\u0161', '\u203a', '\u0153', '\ufffd', '\u017e', '\u0178',
	}[c-0x80]
}
