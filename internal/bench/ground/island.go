package ground

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Island is a machine of its own for one node: a network namespace of Linux,
// joined to this machine by one cable that can be pulled.
type Island struct {
	name, cable string
	// Shore is the address of this machine, from the island and from itself;
	// Host is that of the island.
	Shore, Host string
}

// NewIsland makes one. Errors: any, where root or the system does not allow it;
// nothing is then left behind.
func NewIsland() (*Island, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a network namespace needs root")
	}
	// The numbers of this process, so that two runs do not meet.
	pid := os.Getpid()
	net := fmt.Sprintf("10.231.%d.", pid%250)
	i := &Island{name: "tocsin-" + strconv.Itoa(pid), cable: "tocsin" + strconv.Itoa(pid%100000), Shore: net + "1", Host: net + "6"}
	for _, line := range []string{
		"netns add " + i.name,
		"link add " + i.cable + " type veth peer name cable netns " + i.name,
		"addr add " + i.Shore + "/32 dev lo",
		"addr add " + net + "5/30 dev " + i.cable,
		"link set " + i.cable + " up",
		"-n " + i.name + " link set lo up",
		"-n " + i.name + " addr add " + i.Host + "/30 dev cable",
		"-n " + i.name + " link set cable up",
		"-n " + i.name + " route add default via " + net + "5",
	} {
		if err := ip(line); err != nil {
			return nil, errors.Join(err, ignore(i.Close()))
		}
	}
	return i, nil
}

// Run makes a command run on the island, as the same process.
func (i *Island) Run(cmd *exec.Cmd) error {
	path, err := exec.LookPath("ip")
	if err != nil {
		return err
	}
	cmd.Args = append([]string{"ip", "netns", "exec", i.name, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = path
	return nil
}

// Cut pulls the cable: packets are lost in both directions, no side is told.
func (i *Island) Cut() error { return ip("link set " + i.cable + " down") }

// Mend plugs it in again.
func (i *Island) Mend() error { return ip("link set " + i.cable + " up") }

// Close removes the island; what runs there must have ended.
func (i *Island) Close() error {
	return errors.Join(ip("netns del "+i.name), ignore(ip("link del "+i.cable)), ignore(ip("addr del "+i.Shore+"/32 dev lo")))
}

// ignore is for what may have gone by itself.
func ignore(error) error { return nil }

func ip(line string) error {
	out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", line, err, out)
	}
	return nil
}
