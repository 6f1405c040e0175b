package cli

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A password is not shown on a real terminal, and the terminal speaks again after it.
func TestPasswordsAreTypedWithoutEcho(t *testing.T) {
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	if err := unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	echoes := func() bool {
		state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return state.Lflag&unix.ECHO != 0
	}
	if !echoes() {
		t.Fatal("a new terminal does not echo, so this test shows nothing")
	}
	restore, err := hideInput(terminal.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if echoes() {
		t.Error("the terminal echoes while a password is typed")
	}
	if _, err := control.WriteString("s3cret\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := readLine(terminal); err != nil || got != "s3cret" {
		t.Errorf("read %q, %v", got, err)
	}
	restore()
	if !echoes() {
		t.Error("the terminal stays mute")
	}
	// All that the terminal showed: no more than the line's end.
	if _, err := terminal.WriteString("."); err != nil {
		t.Fatal(err)
	}
	shown := make([]byte, 100)
	if n, err = control.Read(shown); err != nil || strings.Contains(string(shown[:n]), "s3cret") {
		t.Errorf("the terminal showed %q, %v", shown[:n], err)
	}
}

func TestNothingIsHiddenWhereThereIsNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := hideInput(file.Fd()); err == nil {
		t.Error("a file was taken for a terminal")
	}
	if _, err := readLine(strings.NewReader("")); err == nil {
		t.Error("nothing was read as a password")
	}
}
