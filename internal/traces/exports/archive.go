package exports

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/traces"
)

// The files of an archive.
const (
	csvName       = "traces.csv"
	parquetName   = "traces.parquet"
	manifestName  = "manifeste.json"
	signatureName = "manifeste.sig"
	readmeName    = "LISEZMOI.txt"
	proofFolder   = "preuve/"
	originals     = "originaux/"
	verifierName  = proofFolder + "verifier.py"
)

// chunk is how many events are brought, proven and written at once: an original has
// at most a mebibyte.
const chunk = 50

//go:embed LISEZMOI.txt
var readme []byte

// verifierScript is docs/verifier-export.py, word for word.
//
//go:embed verifier.py
var verifierScript []byte

// Manifest says what an archive is, and the SHA-256 of each of its files.
type Manifest struct {
	Number        string    `json:"numero"`
	Kind          Kind      `json:"nature"`
	Establishment string    `json:"etablissement"`
	Organisation  string    `json:"identifiant_etablissement"`
	Authority     string    `json:"autorite,omitempty"`
	Reference     string    `json:"requisition,omitempty"`
	Identity      string    `json:"identite_verifiee,omitempty"`
	Exception     string    `json:"exception,omitempty"`
	Reason        string    `json:"motif,omitempty"`
	AskedBy       string    `json:"demande_par"`
	Asked         time.Time `json:"demande_le"`
	ApprovedBy    string    `json:"approuve_par"`
	Approved      time.Time `json:"approuve_le"`
	Made          time.Time `json:"fabrique_le"`
	Words         string    `json:"selection_en_clair"`
	Selection     Selection `json:"selection"`
	Events        int       `json:"evenements"`
	Masked        bool      `json:"noms_masques"`
	Sealed        bool      `json:"preuve"`
	Program       string    `json:"programme"`
	// Files are the SHA-256 of all files but this one and its signature.
	Files map[string]string `json:"sha256"`
}

// archive is one being made.
type archive struct {
	s     *Service
	scope access.Scope
	r     Request
	out   *zip.Writer
	sums  map[string]string
	mask  *mask
	// proofs counts the files of proof; heads are the checkpoints already written.
	proofs int
	heads  map[string]bool
}

// file adds one that do writes.
func (a *archive) file(name string, do func(io.Writer) error) error {
	w, err := a.out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.r.Decided})
	if err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	sum := sha256.New()
	if err := do(io.MultiWriter(w, sum)); err != nil {
		return err
	}
	a.sums[name] = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (a *archive) bytes(name string, b []byte) error {
	return a.file(name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// counting measures and fingerprints what passes.
type counting struct {
	out io.Writer
	sum hash.Hash
	n   int64
}

// Write implements io.Writer.
func (c *counting) Write(b []byte) (int, error) {
	n, err := c.out.Write(b)
	c.n += int64(n)
	c.sum.Write(b[:n]) // a hash does not fail
	return n, err
}

// produce makes the archive of a request beside its place, and puts it there whole.
func (s *Service) produce(ctx context.Context, scope access.Scope, r *Request) (err error) {
	refs, m, err := s.gather(ctx, scope, *r)
	if err != nil {
		return err
	}
	place := s.path(scope, r.ID)
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return fmt.Errorf("make an archive: %w", err)
	}
	part := place + ".part"
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make an archive: %w", err)
	}
	sealing := newSealer(file, s.opt.Vault, sealName(scope, r.ID, "archive"))
	out := &counting{out: sealing, sum: sha256.New()}
	a := &archive{s: s, scope: scope, r: *r, out: zip.NewWriter(out), sums: map[string]string{}, mask: m, heads: map[string]bool{}}
	err = a.fill(ctx, refs)
	if err == nil {
		err = errors.Join(a.out.Close(), sealing.Close(), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, place); err != nil {
		return fmt.Errorf("make an archive: %w", err)
	}
	r.Events, r.Bytes, r.SHA256 = int64(len(refs)), out.n, hex.EncodeToString(out.sum.Sum(nil))
	return nil
}

// gather finds the events, and learns the names to hide.
func (s *Service) gather(ctx context.Context, scope access.Scope, r Request) (refs []string, m *mask, err error) {
	key, err := s.opt.Vault.DeriveKey("traces.exports:" + scope.Organisation().String() + ":" + r.Patient)
	if err != nil {
		return nil, nil, err
	}
	m = newMask(key.Secret[:])
	seen := map[string]bool{}
	for skip := 0; ; skip += traces.MaxLimit {
		answers, err := s.opt.Traces.Ask(ctx, scope, traces.Look{Why: r.Reason, Request: r.ID.String(), Takes: "zip"}, r.Question(traces.MaxLimit, skip))
		if err != nil {
			return nil, nil, err
		}
		if err := bounded(answers[0].Total); err != nil {
			return nil, nil, err
		}
		for _, e := range answers[0].Events {
			if !seen[e.Ref] {
				seen[e.Ref], refs = true, append(refs, e.Ref)
				m.learn(&e.Event)
			}
		}
		if !answers[0].More || len(refs) > EventsMost {
			return refs, m, bounded(int64(len(refs)))
		}
	}
}

// fill writes all files of the archive.
func (a *archive) fill(ctx context.Context, refs []string) (err error) {
	text, err := a.aside("csv")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, text.remove()) }()
	columnar, err := a.aside("parquet")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, columnar.remove()) }()
	if err := a.events(ctx, refs, text, columnar); err != nil {
		return err
	}
	if err := errors.Join(a.file(csvName, text.copyTo), a.file(parquetName, columnar.copyTo)); err != nil {
		return err
	}
	return a.close(ctx, len(refs))
}

// events writes the tables aside, and originals and proofs as they come.
func (a *archive) events(ctx context.Context, refs []string, text, columnar *aside) error {
	zone, err := time.LoadLocation(a.r.Zone)
	if err != nil {
		return fmt.Errorf("zone of an archive: %w", err)
	}
	columns := open()
	if a.r.Masked() {
		columns = masked()
	}
	t, err := newTables(columns, zone, text, columnar)
	if err != nil {
		return err
	}
	for from := 0; from < len(refs); from += chunk {
		list, proof, err := a.s.opt.Traces.Bring(ctx, a.scope, refs[from:min(from+chunk, len(refs))])
		if err != nil {
			return err
		}
		for i, e := range list {
			if err := a.event(t, row{Brought: e, number: from + i + 1, mask: a.mask}); err != nil {
				return err
			}
		}
		if err := a.proof(proof); err != nil {
			return err
		}
	}
	return t.close()
}

func (a *archive) event(t *tables, r row) error {
	if !a.r.Masked() && len(r.Raw) > 0 {
		r.original = fmt.Sprintf("%s%06d.txt", originals, r.number)
		if err := a.bytes(r.original, r.Raw); err != nil {
			return err
		}
	}
	return t.add(&r)
}

// proof writes the proof of a chunk, and its checkpoint as a file of its own.
func (a *archive) proof(p traces.Proof) error {
	if p.Checkpoint == "" {
		return nil
	}
	if a.r.Masked() {
		p.Hide()
	}
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write a proof: %w", err)
	}
	a.proofs++
	if err := a.bytes(fmt.Sprintf("%spreuve-%04d.json", proofFolder, a.proofs), text); err != nil || a.heads[p.Checkpoint] {
		return err
	}
	a.heads[p.Checkpoint] = true
	name := fmt.Sprintf("%ssommet-%04d", proofFolder, len(a.heads))
	if err := a.bytes(name+".checkpoint", []byte(p.Checkpoint)); err != nil || len(p.Stamp) == 0 {
		return err
	}
	return a.bytes(name+".tsr", p.Stamp)
}

// close adds what explains and proves the archive, and last its manifest.
func (a *archive) close(ctx context.Context, events int) error {
	if err := errors.Join(a.bytes(readmeName, readme), a.bytes(verifierName, verifierScript)); err != nil {
		return err
	}
	_, keys, err := a.s.opt.Traces.Sign(a.scope, nil)
	if err != nil {
		return err
	}
	for _, k := range keys {
		text, err := k.PEM()
		if err == nil {
			err = a.bytes(proofFolder+k.ID+".pem", text)
		}
		if err != nil {
			return err
		}
	}
	m, err := a.manifest(ctx, events)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return fmt.Errorf("write a manifest: %w", err)
	}
	signature, _, err := a.s.opt.Traces.Sign(a.scope, text.Bytes())
	if err != nil {
		return err
	}
	return errors.Join(a.bytes(manifestName, text.Bytes()), a.bytes(signatureName, signature))
}

func (a *archive) manifest(ctx context.Context, events int) (m Manifest, err error) {
	r, words := a.r, a.s.opt.Words
	m = Manifest{
		Number: r.ID.String(), Kind: r.Kind, Organisation: a.scope.Organisation().String(), Authority: r.Authority, Reference: r.Reference,
		AskedBy: r.AskedBy, Asked: r.Asked, ApprovedBy: r.By, Approved: r.Decided, Made: a.s.opt.Clock.Now().UTC(), Words: Say(words, r.Selection), Selection: r.Selection,
		Events: events, Masked: r.Masked(), Sealed: a.proofs > 0, Program: "Tocsin " + a.s.opt.Version, Files: a.sums,
		Identity: r.Identity, Exception: r.Exception, Reason: r.Reason,
	}
	if r.Masked() { // who asked and approved are of the staff too; the number tells the house
		m.AskedBy, m.ApprovedBy, m.Identity, m.Reason = words.T("traces.exports.by.dpo"), words.T("traces.exports.by.second"), "", ""
	}
	if a.s.opt.House != nil {
		m.Establishment, err = a.s.opt.House(ctx, a.scope)
	}
	return m, err
}
