package vault

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"tocsin/internal/fault"
)

// keyringLimit bounds the file: some 700 keys, a rotation a day for two years.
const keyringLimit = 64 << 10

const preamble = `# Keyring of Tocsin. Without this file the secrets in the database are lost:
# keep a copy in a safe place, apart from the backups of the data.
# One key a line: id, date, secret. The first one is current.
`

// Load reads the keyring at path. Its fault says in one sentence what is wrong:
// missing, readable by others, damaged.
func Load(path string) (*Vault, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	r, err := parse(text)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "vault.keyring_damaged", "path", path)
	}
	return newVault(path, r), nil
}

// Create writes a new keyring with one key at path, readable by its owner only,
// and never over an existing file. Only a first start calls it: with data
// already there, a missing keyring is a fault to show and not to mend.
func Create(path string, now time.Time) (*Vault, error) {
	r := &ring{keys: make(map[keyID]key)}
	if err := r.add(now); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, unwritable(path, err)
	}
	temporary, err := r.write(path)
	if err != nil {
		return nil, unwritable(path, err)
	}
	// A link, not a rename: two first starts at once must not replace each other's key.
	err = errors.Join(os.Link(temporary, path), os.Remove(temporary))
	if errors.Is(err, fs.ErrExist) {
		return nil, fault.Wrap(err, fault.Conflict, "vault.keyring_exists", "path", path)
	}
	if err != nil {
		return nil, unwritable(path, err)
	}
	return newVault(path, r), syncFolder(path)
}

// Rotate adds a new current key to the keyring file and returns the vault that
// uses it. The old keys stay: their values still open, Stale finds them.
func (v *Vault) Rotate(now time.Time) (*Vault, error) {
	folder, err := lock(filepath.Dir(v.path))
	if err != nil {
		return nil, unwritable(v.path, err)
	}
	next, err := v.rotate(now)
	if closing := folder.Close(); err == nil && closing != nil {
		return nil, unwritable(v.path, closing)
	}
	return next, err
}

// rotate works under the lock of the folder and reads the file again: another
// process may have rotated it since, and its key must not be lost.
func (v *Vault) rotate(now time.Time) (*Vault, error) {
	next, err := Load(v.path)
	if err != nil {
		return nil, err
	}
	r := next.ring.Load()
	if err := r.add(now); err != nil {
		return nil, err
	}
	temporary, err := r.write(v.path)
	if err != nil {
		return nil, unwritable(v.path, err)
	}
	if err := os.Rename(temporary, v.path); err != nil {
		return nil, unwritable(v.path, errors.Join(err, os.Remove(temporary)))
	}
	return next, syncFolder(v.path)
}

func unwritable(path string, err error) error {
	return fault.Wrap(err, fault.Unavailable, "vault.keyring_unwritable", "path", path)
}

// add draws a new key and makes it current.
func (r *ring) add(now time.Time) error {
	var id keyID
	for fresh := false; !fresh; {
		if _, err := rand.Read(id[:]); err != nil {
			return fmt.Errorf("draw a key id: %w", err)
		}
		_, taken := r.keys[id]
		fresh = !taken
	}
	var secret [keySize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return fmt.Errorf("draw a key: %w", err)
	}
	r.order = slices.Insert(r.order, 0, id)
	return r.put(id, secret, now.UTC().Format(time.RFC3339))
}

func (r *ring) put(id keyID, secret [keySize]byte, created string) error {
	aead, err := chacha20poly1305.NewX(secret[:])
	if err != nil {
		return err
	}
	r.keys[id] = key{secret: secret, aead: aead, created: created}
	return nil
}

// write puts the keyring in a temporary file beside path, durable, mode 0600, and returns its name.
func (r *ring) write(path string) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".tocsin-key-*") // CreateTemp gives 0600
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString(preamble)
	for _, id := range r.order {
		k := r.keys[id]
		fmt.Fprintf(&text, "%s %s %s\n", id, k.created, base64.StdEncoding.EncodeToString(k.secret[:]))
	}
	_, err = file.WriteString(text.String())
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// syncFolder makes the new name of the keyring survive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return unwritable(path, err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return unwritable(path, err)
	}
	return nil
}

func read(path string) (string, error) {
	// Opening a pipe would wait for its writer: look first.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fault.New(fault.Unavailable, "vault.keyring_damaged", "path", path)
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.Wrap(err, fault.NotFound, "vault.keyring_missing", "path", path)
	}
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "vault.keyring_unreadable", "path", path)
	}
	text, err := readChecked(file, path)
	if closing := file.Close(); err == nil && closing != nil {
		err = fault.Wrap(closing, fault.Unavailable, "vault.keyring_unreadable", "path", path)
	}
	return text, err
}

// readChecked looks at the file that is open and not at its name, which may change hands in between.
func readChecked(file *os.File, path string) (string, error) {
	info, err := file.Stat()
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "vault.keyring_unreadable", "path", path)
	}
	if !info.Mode().IsRegular() || info.Size() > keyringLimit {
		return "", fault.New(fault.Unavailable, "vault.keyring_damaged", "path", path)
	}
	if exposed(info.Mode()) {
		return "", fault.New(fault.Denied, "vault.keyring_exposed", "path", path, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	text, err := io.ReadAll(io.LimitReader(file, keyringLimit+1))
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "vault.keyring_unreadable", "path", path)
	}
	return string(text), nil
}

// parse reads the lines of a keyring. Its errors name a line and never quote
// it: it may hold a secret.
func parse(text string) (*ring, error) {
	r := &ring{keys: make(map[keyID]key)}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, err := r.parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		r.order = append(r.order, id)
	}
	if len(r.order) == 0 {
		return nil, errors.New("no key")
	}
	return r, nil
}

func (r *ring) parseLine(line string) (keyID, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return keyID{}, errors.New("want id, date, secret")
	}
	id, err := hex.DecodeString(fields[0])
	if err != nil || len(id) != idSize {
		return keyID{}, errors.New("broken id")
	}
	if _, err := time.Parse(time.RFC3339, fields[1]); err != nil {
		return keyID{}, errors.New("broken date")
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(fields[2])
	if err != nil || len(secret) != keySize {
		return keyID{}, errors.New("broken secret")
	}
	if [keySize]byte(secret) == [keySize]byte{} {
		return keyID{}, errors.New("empty secret")
	}
	if _, twice := r.keys[keyID(id)]; twice {
		return keyID{}, errors.New("the same id twice")
	}
	return keyID(id), r.put(keyID(id), [keySize]byte(secret), fields[1])
}

// KeyInfo is what may be shown of a key.
type KeyInfo struct {
	ID string
	// Created is the RFC 3339 date written in the keyring.
	Created string
}

// Keys lists the keys of the keyring, the current one first.
func (v *Vault) Keys() []KeyInfo {
	r := v.ring.Load()
	out := make([]KeyInfo, 0, len(r.order))
	for _, id := range r.order {
		out = append(out, KeyInfo{ID: id.String(), Created: r.keys[id].created})
	}
	return out
}
