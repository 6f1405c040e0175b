// Package assets holds the icon of our own making. draw.sh draws the PNG from
// what the SVG says.
package assets

import "embed"

//go:embed earnest.png
var files embed.FS

// Icon is the program's icon, a PNG of 512 by 512.
func Icon() []byte {
	data, err := files.ReadFile("earnest.png")
	if err != nil {
		panic(err) // it is compiled in
	}
	return data
}
