package dispatch

import (
	"cmp"
	"slices"
)

// grant is a part of what a contract with an operator allows: all of it for a
// contract, what one node may use for a share.
type grant struct {
	// rate is thousandths of a message per second; 0 in a contract means no limit.
	rate int64
	// links are connections; 0 in a contract means that nobody counts them.
	links int64
	// lots are deliveries in flight, by lots.
	lots int64
}

// claimant is a node that drives the gateway, as the shares say it.
type claimant struct {
	node string
	// able is false while the operator does not answer this node; busy is true
	// while it has something to send and a way to do it.
	able, busy bool
	held       grant
}

// fair is what a node should have of the contract when all have had their turn:
// an equal part among those who are able, connections staying where they are
// open. A node that the operator does not answer keeps one connection to try
// again with, if there are enough of them.
func (contract grant) fair(me string, all []claimant) grant {
	return grant{
		rate:  contract.fairRate(me, all),
		links: dealt(contract.links, me, all, func(c claimant) int64 { return c.held.links }),
		lots:  dealt(contract.lots, me, all, func(c claimant) int64 { return c.held.lots }),
	}
}

func (contract grant) fairRate(me string, all []claimant) int64 {
	n, mine := int64(0), false
	for _, c := range all {
		if c.able && c.busy {
			n++
			mine = mine || c.node == me
		}
	}
	if !mine {
		return 0
	}
	return contract.rate / n
}

// dealt deals whole things: first to who is able, and those who hold some keep them.
func dealt(total int64, me string, all []claimant, held func(claimant) int64) int64 {
	order := slices.SortedFunc(slices.Values(all), func(a, b claimant) int {
		return cmp.Or(cmp.Compare(held(b), held(a)), cmp.Compare(a.node, b.node))
	})
	able := slices.Collect(func(yield func(claimant) bool) {
		for _, c := range order {
			if c.able && !yield(c) {
				return
			}
		}
	})
	unable := slices.DeleteFunc(slices.Clone(order), func(c claimant) bool { return c.able })
	if len(able) == 0 {
		able, unable = unable, nil
	}
	spared := min(int64(len(unable)), max(0, total-int64(len(able))))
	if i := slices.IndexFunc(unable, func(c claimant) bool { return c.node == me }); i >= 0 {
		return min(1, max(0, spared-int64(i)))
	}
	n := int64(len(able))
	share := (total - spared) / n
	if i := slices.IndexFunc(able, func(c claimant) bool { return c.node == me }); int64(i) < (total-spared)%n {
		share++
	}
	return share
}

// within is what of a wish is left of the contract once the others have what they hold.
func (contract grant) within(wish grant, me string, all []claimant) grant {
	left := contract
	for _, c := range all {
		if c.node != me {
			left.rate, left.links, left.lots = left.rate-c.held.rate, left.links-c.held.links, left.lots-c.held.lots
		}
	}
	return wish.atMost(left)
}

func (g grant) atMost(other grant) grant {
	return grant{
		rate: max(0, min(g.rate, other.rate)), links: max(0, min(g.links, other.links)), lots: max(0, min(g.lots, other.lots)),
	}
}

func (g grant) atLeast(other grant) grant {
	return grant{rate: max(g.rate, other.rate), links: max(g.links, other.links), lots: max(g.lots, other.lots)}
}
