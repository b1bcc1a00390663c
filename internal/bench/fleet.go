package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // driver, to make databases

	"tocsin/internal/bench/ground"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// nodes is how many programs share one PostgreSQL.
const nodes = 3

// ticksPerSecond is the unit of processor times in /proc (USER_HZ of Linux).
const ticksPerSecond = 100

// newDatabase makes a database of the private PostgreSQL, empty or as a copy,
// and returns the address that leads to it. Errors: Unavailable where
// PostgreSQL is not installed.
func (b *bench) newDatabase(ctx context.Context, name, copyOf string) (string, error) {
	if b.postgres == nil {
		server, err := ground.StartPostgres(ctx, true)
		if errors.Is(err, ground.ErrNoPostgres) {
			return "", fault.New(fault.Unavailable, "bench.no_postgres")
		}
		if err != nil {
			return "", err
		}
		b.postgres = server
	}
	db, err := sql.Open("pgx", b.postgres.URL)
	if err != nil {
		return "", err
	}
	statement := `CREATE DATABASE "` + name + `"`
	if copyOf != "" {
		from, err := url.Parse(copyOf)
		if err != nil {
			return "", errors.Join(err, db.Close())
		}
		statement += ` TEMPLATE "` + strings.TrimPrefix(from.Path, "/") + `"`
	}
	_, err = db.ExecContext(ctx, statement)
	if err = errors.Join(err, db.Close()); err != nil {
		return "", fmt.Errorf("make the database %s: %w", name, err)
	}
	at, err := url.Parse(b.postgres.URL)
	if err != nil {
		return "", err
	}
	at.Path = "/" + name
	return at.String(), nil
}

func (b *bench) stopPostgres() error {
	if b.postgres == nil {
		return nil
	}
	return b.postgres.Stop()
}

// newShared prepares data for n people on PostgreSQL.
func (b *bench) newShared(ctx context.Context, name string, n int, r prepareRequest) (*house, error) {
	database, err := b.newDatabase(ctx, name, "")
	if err != nil {
		return nil, err
	}
	r.Database, r.URL, r.Medium = database, publicURL, channels.SMS
	return b.prepareHouse(ctx, name, n, r)
}

// fleet is several programs on the same data.
type fleet struct {
	b     *bench
	house *house
	peer  *peer
	nodes []*product
}

// sail starts n programs on a house, and waits for the connections to the operator.
func (b *bench) sail(ctx context.Context, h *house, p *peer, n int, last func(r *serveRequest) func(*exec.Cmd) error) (f *fleet, err error) {
	f = &fleet{b: b, house: h, peer: p}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.kill())
		}
	}()
	before, err := p.counts(ctx)
	if err != nil {
		return f, err
	}
	for i := range n {
		r := serveRequest{}
		var elsewhere func(*exec.Cmd) error
		if i == n-1 && last != nil {
			elsewhere = last(&r)
		}
		node, err := b.openBy(ctx, h, r, elsewhere)
		if err != nil {
			return f, err
		}
		f.nodes = append(f.nodes, node)
	}
	return f, until(ctx, "the binds", 20*time.Millisecond, func() (bool, error) {
		c, err := p.counts(ctx)
		return c.SMS.Binds >= before.SMS.Binds+binds, err
	})
}

// kill ends all of them without a word.
func (f *fleet) kill() (err error) {
	for _, n := range f.nodes {
		err = errors.Join(err, n.kill())
	}
	return err
}

// close ends all of them in good order.
func (f *fleet) close(ctx context.Context) (err error) {
	for _, n := range f.nodes {
		_, cerr := n.close(ctx)
		err = errors.Join(err, cerr)
	}
	return err
}

// reach waits until the peer has taken that many messages, doubles apart.
func (f *fleet) reach(ctx context.Context, rank int) error {
	return until(ctx, fmt.Sprintf("message %d", rank), 5*time.Millisecond, func() (bool, error) {
		c, err := f.peer.counts(ctx)
		return c.SMS.Distinct >= rank, err
	})
}

// ended waits until no node works on anything, and ends them.
func (f *fleet) ended(ctx context.Context) error {
	for _, n := range f.nodes {
		if err := f.free(ctx, f.nodes[0], n.Node); err != nil {
			return err
		}
	}
	return f.close(ctx)
}

// free waits until a node holds nothing, as another one sees it.
func (f *fleet) free(ctx context.Context, asked *product, node string) error {
	return until(ctx, "the work of a node", 50*time.Millisecond, func() (bool, error) {
		held := 0
		if err := asked.say(order{Held: node}); err != nil {
			return false, err
		}
		err := asked.wait(ctx, "held", &held)
		return held == 0, err
	})
}

// stopAlert is the kill switch; it returns when it was durable, in microseconds.
func (p *product) stopAlert(ctx context.Context, launch uuid.UUID) (at int64, err error) {
	if err := p.say(order{Kill: launch}); err != nil {
		return 0, err
	}
	return at, p.wait(ctx, "killed", &at)
}

// processor is the processor time the programs have used so far, in seconds.
func (f *fleet) processor() (seconds float64, err error) {
	for _, n := range f.nodes {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(n.cmd.Process.Pid), "stat"))
		if err != nil {
			return 0, fmt.Errorf("processor time of a program: %w", err)
		}
		// The name, in parentheses, may hold anything; after it come the state and numbers.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 13 {
			return 0, errors.New("processor time of a program: too few fields")
		}
		for _, field := range fields[11:13] { // utime, stime
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("processor time of a program: %w", err)
			}
			seconds += float64(ticks) / ticksPerSecond
		}
	}
	return seconds, nil
}

// effort launches once and returns the processor time per 1,000 messages, from
// the confirmation to the last receipt, and how many people were called twice.
func (f *fleet) effort(ctx context.Context) (perThousand float64, doubles uint64, err error) {
	before, err := f.processor()
	if err != nil {
		return 0, 0, err
	}
	l, err := f.nodes[0].launch(ctx)
	if err != nil {
		return 0, 0, err
	}
	c, _, err := f.peer.took(ctx, channels.SMS, l.People)
	if err != nil {
		return 0, 0, err
	}
	after, err := f.processor()
	return (after - before) / float64(l.People) * 1000, c.SMS.Doubles, err
}
