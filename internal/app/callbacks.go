package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"

	dispatchpages "tocsin/internal/dispatch/pages"
)

// callbacks gives each gateway the address at which its provider may call it.
// Its secret follows from the keyring, the same on every node; another round
// makes another secret.
func (h *House) callbacks() (func(uuid.UUID, string) (string, []string), error) {
	keys, err := h.Vault.DeriveKeys("dispatch.callback")
	if err != nil {
		return nil, fmt.Errorf("key of the callbacks: %w", err)
	}
	return func(gateway uuid.UUID, round string) (string, []string) {
		secrets := make([]string, len(keys))
		for i, k := range keys {
			mac := hmac.New(sha256.New, k.Secret[:])
			mac.Write([]byte(gateway.String() + "." + round))
			secrets[i] = hex.EncodeToString(mac.Sum(nil)[:16])
		}
		return h.origin().String() + dispatchpages.CallbackPath + "/" + gateway.String() + "/retour/" + secrets[0], secrets
	}, nil
}
