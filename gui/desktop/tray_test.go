package desktop

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/assets"
)

func TestTheTraysIconCarriesTheNumberWaiting(t *testing.T) {
	test.NewTempApp(t)
	icon := fyne.NewStaticResource("earnest.png", assets.Icon())
	if Badge(icon, 0) != fyne.Resource(icon) {
		t.Error("nothing waits, and the icon has a number")
	}
	seen := map[string]int{}
	for _, n := range []int{1, 2, 12, 99} {
		badge := Badge(icon, n)
		picture, err := png.Decode(bytes.NewReader(badge.Content()))
		if err != nil || picture.Bounds().Size() != (image.Point{X: badgeSize, Y: badgeSize}) {
			t.Fatalf("%d: %v, %v", n, picture, err)
		}
		if other, same := seen[string(badge.Content())]; same {
			t.Errorf("%d looks like %d", n, other)
		}
		seen[string(badge.Content())] = n
	}
	if string(Badge(icon, 100).Content()) != string(Badge(icon, 5000).Content()) {
		t.Error("a number too long for the icon is drawn")
	}
}
