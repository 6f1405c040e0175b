package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

// Std are the streams of this process.
func Std() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Interactive: isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stderr.Fd()),
		Password:    askPassword,
	}
}

// askPassword asks on the terminal, and nothing of the answer is shown.
func askPassword(prompt string) (string, error) {
	if _, err := io.WriteString(os.Stderr, safe(prompt)); err != nil {
		return "", err
	}
	restore, err := hideInput(os.Stdin.Fd())
	if err != nil {
		return "", fmt.Errorf("hide the answer: %w", err)
	}
	answer, err := readLine(os.Stdin)
	restore()
	fmt.Fprintln(os.Stderr)
	return answer, err
}

// readLine reads to the end of the line and no further.
func readLine(r io.Reader) (string, error) {
	var line strings.Builder
	buffer := make([]byte, 1)
	for line.Len() < 4096 {
		n, err := r.Read(buffer)
		if n == 1 && buffer[0] == '\n' || err == io.EOF && line.Len() > 0 {
			break
		}
		if err != nil {
			return "", err
		}
		line.Write(buffer[:n])
	}
	return strings.TrimRight(line.String(), "\r"), nil
}
