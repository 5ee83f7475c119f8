#!/bin/sh
# Draws the PNG icons of static/icons from their SVG with Chromium.
#   sh scripts/icons.sh
set -eu
cd "$(dirname "$0")/../static/icons"
chromium=${CHROMIUM:-chromium}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

draw() { # source size target
	printf '<!doctype html><style>html,body{margin:0}img{display:block;width:%spx;height:%spx}</style><img src="data:image/svg+xml;base64,%s">' \
		"$2" "$2" "$(base64 < "$1" | tr -d '\n')" > "$dir/page.html"
	"$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 --user-data-dir="$dir/profile" \
		--default-background-color=00000000 --window-size="$2,$2" --screenshot="$PWD/$3" "file://$dir/page.html" > /dev/null 2>&1
}

draw app.svg 192 app-192.png
draw app.svg 512 app-512.png
draw app-maskable.svg 512 app-maskable-512.png
draw app-maskable.svg 180 app-touch-180.png
