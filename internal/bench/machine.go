package bench

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// machine says what the figures are of.
func machine() string {
	name := runtime.GOOS + "/" + runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name += ", " + strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores, %s", runtime.NumCPU(), name)
}

// fileSystem is the kind of file system a folder is on, "unknown" where the
// system does not tell: figures on a tmpfs would be those of no disk.
func fileSystem(folder string) string {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return "unknown"
	}
	kind, best := "unknown", -1
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		at := fields[1]
		if rel, err := filepath.Rel(at, folder); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") && len(at) > best {
			kind, best = fields[2], len(at)
		}
	}
	if f.Close() != nil || lines.Err() != nil {
		return "unknown"
	}
	return kind
}

// peakMB is the largest resident memory a process had, in MB (10⁶ bytes); 0
// where the system does not tell.
func peakMB(pid string) float64 { return memoryMB(pid, "VmHWM:") }

// residentMB is the resident memory of this process now.
func residentMB() float64 { return memoryMB("self", "VmRSS:") }

func memoryMB(pid, field string) float64 {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			if err != nil {
				return 0
			}
			return kib * 1024 / 1e6
		}
	}
	return 0
}
