package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a person's agent has used.
type Usage struct {
	Resident, Peak int64 // bytes
	CPU            time.Duration
}

// Usage reads /proc.
func (p *Person) Usage() (Usage, error) { return UsageOf(p.agent.cmd.Process.Pid) }

// UsageOf is what a process uses.
func UsageOf(pid int) (Usage, error) {
	var u Usage
	proc := fmt.Sprintf("/proc/%d/", pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return u, fmt.Errorf("usage of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			u.Resident = kib << 10
		case "VmHWM":
			u.Peak = kib << 10
		}
	}
	stat, err := os.ReadFile(proc + "stat")
	if err != nil {
		return u, fmt.Errorf("usage of process %d: %w", pid, err)
	}
	// The name, which may hold spaces, ends with the last parenthesis; utime and
	// stime are fields 14 and 15 in ticks of a hundredth of a second (proc(5)).
	fields := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	u.CPU = time.Duration(user+system) * 10 * time.Millisecond
	return u, nil
}
