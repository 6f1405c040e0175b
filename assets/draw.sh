#!/bin/sh
# Draws earnest.png as earnest.svg describes it, four times as large and then
# reduced, for smooth edges. Needs ImageMagick; no SVG renderer.
set -eu
cd "$(dirname "$0")"
convert -size 2048x2048 xc:none \
  -fill '#1B6B52' -draw 'roundrectangle 64,64 1983,1983 432,432' \
  -fill '#0E2A20' -draw 'roundrectangle 496,336 1551,1711 80,80' \
  -fill '#FAF9F7' -draw 'roundrectangle 592,432 1455,1711 32,32' \
  -fill '#0E2A20' -draw 'roundrectangle 368,1664 1679,1759 48,48' \
  -fill '#1B6B52' -draw 'roundrectangle 736,928 1311,1063 68,68' \
  -fill '#E5B95C' -draw 'circle 1304,1320 1304,1232' \
  -resize 512x512 -depth 8 -strip -define png:exclude-chunks=date,time earnest.png
