package mailtest

import "fmt"

// InProgram runs do as a test would be run, for bench programs: what was
// started is stopped at the end, and a fatal fault comes back as the error.
func InProgram(do func(t T) error) (err error) {
	p := &program{}
	defer p.clean(&err)
	defer func() {
		switch v := recover().(type) {
		case nil:
		case fatal:
			err = v
		default:
			panic(v)
		}
	}()
	return do(p)
}

// fatal is what Fatalf panics with, to leave do as t.FailNow would.
type fatal struct{ text string }

func (f fatal) Error() string { return f.text }

type program struct{ cleanups []func() }

// Helper implements T.
func (p *program) Helper() {}

// Cleanup implements T.
func (p *program) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

// Fatalf implements T.
func (p *program) Fatalf(format string, args ...any) { panic(fatal{fmt.Sprintf(format, args...)}) }

// clean runs all cleanups, last first, whatever one of them says.
func (p *program) clean(err *error) {
	for len(p.cleanups) > 0 {
		last := p.cleanups[len(p.cleanups)-1]
		p.cleanups = p.cleanups[:len(p.cleanups)-1]
		func() {
			defer func() {
				switch v := recover().(type) {
				case nil:
				case fatal:
					if *err == nil {
						*err = v
					}
				default:
					panic(v)
				}
			}()
			last()
		}()
	}
}
