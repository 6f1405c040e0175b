package cli

import (
	"context"
	"io"
	"os"
)

// await does what may wait for somebody, such as reading a terminal or opening a
// pipe, and gives up when the context ends: the system's call cannot be taken
// back, and an interrupt would wait for it.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := do()
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// readUpTo reads a file, or the input where the name is "-", to one byte more
// than the limit at most.
func readUpTo(ctx context.Context, input io.Reader, name string, limit int64) ([]byte, error) {
	return await(ctx, func() ([]byte, error) {
		if name == "-" {
			return io.ReadAll(io.LimitReader(input, limit+1))
		}
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(io.LimitReader(file, limit+1))
	})
}

// outlet is where a verb prints. It remembers that something was lost: a script
// would take half a list for the whole otherwise.
type outlet struct {
	io.Writer
	err error
}

func (o *outlet) Write(data []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.Writer.Write(data)
	o.err = err
	return n, err
}

// lost is why the output is not whole, nil where it is.
func (s *session) lost() error {
	if o, ok := s.streams.Out.(*outlet); ok {
		return o.err
	}
	return nil
}
