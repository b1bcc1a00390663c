package app

import (
	"time"

	"tocsin/internal/config"
	"tocsin/internal/journal"
	"tocsin/internal/vault"
)

type keysCommand struct {
	List   keysList   `cmd:"" help:"List the keys of the keyring, without their secrets."`
	Rotate keysRotate `cmd:"" help:"Draw a new key, and seal every secret again under it. The old keys stay, to read old backups."`
}

type keysList struct{ config.Server }

// Run lists the keys, the current one first.
func (c *keysList) Run(s *session) error {
	v, err := vault.Load(c.KeyFile)
	if err != nil {
		return err
	}
	for i, k := range v.Keys() {
		mark := " "
		if i == 0 {
			mark = "*"
		}
		s.printf("%s %s\t%s", mark, k.ID, k.Created)
	}
	return nil
}

type keysRotate struct{ config.Server }

// Run rotates. Nodes that run on this machine take the new key up by themselves;
// others once the file is copied to them.
func (c *keysRotate) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		now := h.Clock.Now()
		if _, err := h.Vault.Rotate(now); err != nil {
			return err
		}
		if err := h.Vault.Refresh(); err != nil {
			return err
		}
		n, err := h.reseal(s, now)
		if err != nil {
			return err
		}
		s.printf("%s", s.words().T("app.keys.rotated", "key", h.Vault.Keys()[0].ID, "n", n, "file", c.KeyFile))
		return nil
	})
}

// reseal has every room that keeps secrets seal them again.
func (h *House) reseal(s *session, now time.Time) (n int, err error) {
	for _, room := range h.keepers() {
		k, err := room(s.ctx, console())
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, h.noteEverywhere(s.ctx, now, journal.Entry{
		Action: "instance.rotate", ObjectKind: "key", ObjectID: h.Vault.Keys()[0].ID, After: map[string]int{"sealed_again": n},
	})
}
