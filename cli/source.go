package cli

import (
	"fmt"
	"os"

	"github.com/mattn/go-isatty"
)

// source prints an opened mail as it was inside the encryption.
func (s *session) source(id string) error {
	source, err := s.agent.Source(s.ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(source)
	}
	if s.onTerminal() {
		s.say("%s", source.Raw)
		return nil
	}
	if _, err := s.streams.Out.Write(source.Raw); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// onTerminal reports whether what is printed is shown at once: to a terminal that
// would obey it.
func (s *session) onTerminal() bool {
	out := s.streams.Out
	if lost, ok := out.(*outlet); ok {
		out = lost.Writer
	}
	file, ok := out.(*os.File)
	return ok && (isatty.IsTerminal(file.Fd()) || isatty.IsCygwinTerminal(file.Fd()))
}
