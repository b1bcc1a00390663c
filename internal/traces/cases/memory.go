package cases

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// How long and how much a verdict counts. A justification holds for six months,
// as long as the traces of access are kept at least; what was dismissed is the
// fault of the rule more than of the case, and weighs half.
const (
	memoryLife     = 182 * 24 * time.Hour
	justifiedShare = 0.25
	dismissedShare = 0.5
	// watchedShare is for what must be looked at each time: a well-known patient,
	// somebody who left.
	watchedShare = 0.8
)

// remembered is a verdict that touches a hit.
type remembered struct {
	id      uuid.UUID
	verdict State
	at      time.Time
}

// subject is what a verdict is remembered for: the patient, or else the service.
func subject(h *traces.Hit) string {
	if a := about(h); a != "" {
		return a
	}
	return storage.Fold(h.Service)
}

// recall finds what was said of the same rule, account and patient or service.
func recall(ctx context.Context, tx *storage.Tx, now time.Time, h *traces.Hit) (r remembered, found bool, err error) {
	var verdict string
	var at int64
	found, err = tx.Row(ctx, `SELECT case_id, verdict, decided_us FROM traces_case_memory WHERE organisation_id = $1 AND rule = $2 AND account = $3 AND about = $4 AND until_us > $5`,
		[]any{h.Organisation, h.Rule, actor(h), subject(h), storage.Micros(now)}, &r.id, &verdict, &at)
	r.verdict, r.at = State(verdict), storage.Time(at)
	return r, found, err
}

// lighten gives the score of a hit after what was said of the same: never zero.
func (r remembered) lighten(score int, watched bool) int {
	share := 1.0
	switch r.verdict {
	case Justified:
		share = justifiedShare
	case Dismissed:
		share = dismissedShare
	}
	if watched {
		share = max(share, watchedShare)
	}
	return max(int(float64(score)*share), 1)
}

// remember keeps a verdict for each rule that saw the case; forget takes it back.
func (c *Case) remember(ctx context.Context, tx *storage.Tx, now time.Time, verdict State) error {
	h := c.hit()
	for _, rule := range c.Rules {
		if _, err := tx.Exec(ctx, `INSERT INTO traces_case_memory (organisation_id, rule, account, about, case_id, verdict, decided_us, until_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (organisation_id, rule, account, about) DO UPDATE SET case_id = excluded.case_id, verdict = excluded.verdict, decided_us = excluded.decided_us, until_us = excluded.until_us`,
			c.organisation, rule, actor(&h), subject(&h), c.ID, string(verdict), storage.Micros(now), storage.Micros(now.Add(memoryLife))); err != nil {
			return err
		}
	}
	return nil
}

func (c *Case) forget(ctx context.Context, tx *storage.Tx) error {
	_, err := tx.Exec(ctx, `DELETE FROM traces_case_memory WHERE organisation_id = $1 AND case_id = $2`, c.organisation, c.ID)
	return err
}

// hit is the case as a hit, for what is computed of both.
func (c *Case) hit() traces.Hit {
	return traces.Hit{
		Organisation: c.organisation, Rule: c.Rule, Account: c.Account, Person: c.Person, Service: c.Service, IPP: c.IPP, INS: c.INS, PatientName: c.PatientName,
		Application: c.Application, Workstation: c.Workstation, Device: c.Device, Source: c.Source,
	}
}

// Watched tells the rules whose hits are looked at each time, whatever was said
// before: their key speaks of a well-known patient or of somebody who left.
func Watched(rule string) bool {
	for _, word := range []string{"well_known", "leaver", "left"} {
		if strings.Contains(rule, word) {
			return true
		}
	}
	return false
}
