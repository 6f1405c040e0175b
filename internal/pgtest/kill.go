package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kill ends the server and all of its processes at once with SIGKILL: what none of
// them has given to the system is lost. [Cluster.Restart] brings it back.
func (c *Cluster) Kill() error {
	server := c.server.Process
	// Stopped first: it would start others for those that die, or die in order.
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	children, err := childrenOf(server.Pid)
	errs := []error{err}
	for _, child := range children {
		if err := syscall.Kill(child, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, server.Kill())
	_ = c.server.Wait() // it was killed
	for _, child := range children {
		errs = append(errs, gone(child))
	}
	return errors.Join(errs...)
}

// gone waits for a process to end: the next server refuses to start while one holds
// the shared memory.
func gone(pid int) error {
	for range 1000 {
		if state, _, err := status(pid); err != nil || state == "Z" {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("process %d of PostgreSQL does not end", pid)
}

func childrenOf(parent int) (children []int, err error) {
	files, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(file))
		if err != nil {
			return nil, err
		}
		if _, of, err := status(pid); err == nil && of == parent {
			children = append(children, pid)
		}
	}
	return children, nil
}

// status is a process' state and its parent.
func status(pid int) (state string, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // after the program's name
	_, err = fmt.Sscan(rest, &state, &parent)
	return state, parent, err
}
