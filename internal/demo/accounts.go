package demo

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"math/big"
	"strings"

	"tocsin/internal/access"
)

// Account is one of the accounts of the demonstration.
type Account struct {
	// Login is a mail address of the invented hospital.
	Login, Name string
	Role        access.Role
	// Password is drawn anew each time: a demonstration left open is no open door.
	Password string
	// TOTP is the seed of the second factor, in base32 without padding.
	TOTP string
}

// Accounts gives one account for each role, with the passwords and second
// factors of this run only.
func Accounts() ([]Account, error) {
	out := []Account{
		{Login: "admin", Name: "Hélène Vernet", Role: access.Administrator},
		{Login: "garde", Name: "Karim Belacem", Role: access.Launcher},
		{Login: "cellule", Name: "Anne-Sophie Morvan", Role: access.CrisisCell},
		{Login: "annuaire", Name: "Mamadou Keita", Role: access.DirectoryManager},
		{Login: "lecture", Name: "Claire Tanguy", Role: access.Reader},
		{Login: "audit", Name: "Thierry Payet", Role: access.Auditor},
		{Login: "dpo", Name: "Solène Riou", Role: access.DataProtection},
		{Login: "rssi", Name: "Youssef Lamine", Role: access.SecurityOfficer},
		{Login: "direction", Name: "Florence Abadie", Role: access.Controller},
		{Login: "dim", Name: "Bertrand Le Goff", Role: access.MedicalInformation},
	}
	for n := range out {
		out[n].Login += "@" + Domain
		var err error
		if out[n].Password, err = password(); err != nil {
			return nil, err
		}
		seed := make([]byte, 20)
		if _, err := rand.Read(seed); err != nil {
			return nil, fmt.Errorf("draw a second factor: %w", err)
		}
		out[n].TOTP = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
	}
	return out, nil
}

// password draws four words and a number: 65⁴ × 9,000, more than 37 bits,
// enough for a door that opens on this machine only, and easy to copy by hand.
func password() (string, error) {
	words := strings.Fields(passwordWords)
	parts := make([]string, 0, 5)
	for range 4 {
		n, err := draw(len(words))
		if err != nil {
			return "", err
		}
		parts = append(parts, words[n])
	}
	n, err := draw(9000)
	if err != nil {
		return "", err
	}
	return strings.Join(append(parts, fmt.Sprint(1000+n)), "-"), nil
}

func draw(n int) (int, error) {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0, fmt.Errorf("draw a password: %w", err)
	}
	return int(v.Int64()), nil
}

const passwordWords = `ajonc alouette ardoise argile aubier azur balise bambou basalte belette bouleau brume
cabane calanque canal cerise cigale clairon cobalt colibri corail cuivre cygne dauphin digue dune
ecluse embrun falaise fougere galet genet grive hameau hibou houle jacinthe jetee lande lanterne
lavande lichen lierre loutre marais merisier mesange mimosa moulin nacre noisette olivier orage
orme osier pinson prairie quartz ruche sarcelle saule sentier tilleul torrent vallon`
