package crash_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"tocsin/internal/bench/ground"
	"tocsin/internal/storage/storagetest"
)

// smallDisk mounts a small disk on the folder of the data.
func smallDisk(t *testing.T, folder string) *ground.Disk {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	disk, err := ground.NewDisk(folder, 96<<20)
	if err != nil {
		t.Skipf("the full disk is not tried: only root may mount a small one, and not everywhere (%v)", err)
	}
	t.Cleanup(func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	return disk
}

// The disk of the whole program is full: what was acknowledged is kept, what is not
// taken is refused, in words, and nothing that was said is undone once there is room:
// traces are taken and an alert leaves, without anybody starting anything again.
func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	t.Parallel()
	run := withBase(t)
	n, i := startNetwork(t), &installation{t: t, folder: t.TempDir()}
	disk := smallDisk(t, i.data())
	i.furnish()
	i.gateway(n)
	i.people(20, "Camille")
	scenario := i.scenario()
	s := i.shipper("DPI")
	address := freePort(t)
	p := start(t, run, append([]string{"serve", "--listen", address}, i.flags()...)...)
	listens(t, address, p)
	if !s.ship(address, 500) {
		t.Fatalf("refused: %v", s.refusals)
	}
	s.holds(i.data(), i.scope.Organisation())
	if err := disk.Fill(); err != nil {
		t.Fatal(err)
	}
	for tries := 0; s.ship(address, 2000); tries++ { // what a file had left
		if tries > 100 {
			t.Fatal("a full disk goes on taking traces")
		}
	}
	for range 8 {
		s.ship(address, 2000)
	}
	if s.refusals[503]+s.refusals[429] == 0 {
		t.Errorf("traces were not refused in words: %v", s.refusals)
	}
	refused := i.launch(scenario)
	if err := refused.wait(); err == nil || !strings.HasPrefix(strings.TrimSpace(refused.said.String()), "tocsin: ") {
		t.Errorf("an alert on a full disk: %v, %s", err, refused.said.String())
	}
	if !alive(address) {
		t.Fatalf("the program does not live through a full disk:\n%s", p.said.String())
	}
	if err := disk.Free(); err != nil {
		t.Fatal(err)
	}
	storagetest.Eventually(t, patience, "traces are taken again", func() bool { return s.ship(address, 2000) })
	s.holds(i.data(), i.scope.Organisation())
	i.launch(scenario).done()
	n.reached(20)
	verified(t, run, i.flags()...)
	p.stop()
}

// alive tells whether a program answers at all.
func alive(address string) bool {
	answer, err := (&http.Client{Timeout: patience}).Get("http://" + address + "/healthz")
	return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}
