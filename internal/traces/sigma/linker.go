package sigma

import "slices"

// linker joins correlations to what they name.
type linker struct {
	c     *Correlator
	rules map[string][]int
	plans map[string][]*plan
}

func (p *plan) where() place { return place{file: p.File, title: p.Title, line: p.Line} }

func (l *linker) link(p *plan) error {
	for n, ref := range p.Refs {
		rules, plans := l.rules[ref], l.plans[ref]
		switch {
		case len(rules)+len(plans) == 0:
			return p.where().refuse("traces.sigma.ref_unknown", "ref", ref)
		case len(rules)+len(plans) > 1:
			return p.where().refuse("traces.sigma.ref_twice", "ref", ref)
		case len(rules) == 1:
			l.c.byRule[rules[0]] = append(l.c.byRule[rules[0]], input{p, n})
			l.c.silent[rules[0]] = l.c.silent[rules[0]] || !p.Generate
		default:
			plans[0].outer = append(plans[0].outer, input{p, n})
		}
	}
	return nil
}

// circles refuses a correlation that counts itself, through others or not.
func (l *linker) circles() error {
	done := make([]bool, len(l.c.plans))
	var on []*plan
	var visit func(p *plan) error
	visit = func(p *plan) error {
		if slices.Contains(on, p) {
			return p.where().refuse("traces.sigma.ref_circle")
		}
		if done[p.number] {
			return nil
		}
		on = append(on, p)
		for _, in := range p.outer {
			if err := visit(in.plan); err != nil {
				return err
			}
		}
		on = on[:len(on)-1]
		done[p.number] = true
		return nil
	}
	for _, p := range l.c.plans {
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}
