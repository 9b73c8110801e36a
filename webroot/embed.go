// Package webroot embeds the admin page: HTML, style, ES modules and texts.
// There is no build step; what is here is what browsers get.
package webroot

import (
	"embed"
	"io/fs"
)

//go:embed index.html style.css css mark.svg js i18n
var files embed.FS

// Files returns the files of the page.
func Files() fs.FS { return files }
