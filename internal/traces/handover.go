package traces

import (
	"context"
	"crypto/ed25519"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/fault"
)

// Brought is an event whole, for whoever it is handed to.
type Brought struct {
	Stored
	// Rest is what the model has no place for, as one text.
	Rest string
	// Digest is that under which it was sealed; nil when the base has no seal.
	Digest []byte
}

// Bring gives events whole, in order, with their originals and their proof; the
// proof is empty when the base has no seal. What looked for them is already traced:
// this is not. Needs access.TracesAsk. Errors: NotFound, Unavailable.
func (s *Service) Bring(ctx context.Context, scope access.Scope, refs []string) (out []Brought, proof Proof, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, proof, err
	}
	if _, _, err := s.sealer(); err != nil {
		out, err = s.bringUnsealed(ctx, scope, refs)
		return out, proof, err
	}
	if proof, err = s.Prove(ctx, scope, refs); err != nil {
		return nil, proof, err
	}
	for _, p := range proof.Events {
		e, rest, err := ReadSealed(p.Record)
		if err != nil {
			return nil, proof, err
		}
		digest := EventDigest(p.Salt, p.Record)
		out = append(out, Brought{Stored: Stored{Event: e, Ref: p.Ref}, Rest: rest, Digest: digest[:]})
	}
	return out, proof, nil
}

func (s *Service) bringUnsealed(ctx context.Context, scope access.Scope, refs []string) (out []Brought, err error) {
	_, base, err := s.connected()
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		e, err := base.Get(ctx, scope.Organisation(), ref)
		if err != nil {
			return nil, err
		}
		var rest []string
		for _, p := range e.Extra {
			rest = append(rest, p.Name+"="+p.Value)
		}
		out = append(out, Brought{Stored: e, Rest: strings.Join(rest, "\n")})
	}
	return out, nil
}

// Sign signs a text with the key of the seal, as `openssl pkeyutl -verify -rawin`
// checks it, and gives the public keys, that which signed first. Needs
// access.TracesAsk. Errors: Unavailable.
func (s *Service) Sign(scope access.Scope, text []byte) (signature []byte, keys []PublicKey, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, nil, err
	}
	if s.opt.Vault == nil {
		return nil, nil, fault.New(fault.Unavailable, "traces.seal.none")
	}
	all, err := signers(s.opt.Vault, scope.Organisation())
	if err != nil {
		return nil, nil, err
	}
	for _, one := range all {
		keys = append(keys, one.PublicKey)
	}
	return ed25519.Sign(all[0].private, text), keys, nil
}
