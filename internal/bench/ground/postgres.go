package ground

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Postgres is a private server, its data in a folder of its own.
type Postgres struct {
	// URL leads to its database, as an account that is no superuser.
	URL string
	// Socket leads there too, by the socket of the machine.
	Socket string
	dir    string
	server *exec.Cmd
}

// ErrNoPostgres means that PostgreSQL is not installed on this machine.
var ErrNoPostgres = errors.New("PostgreSQL is not installed")

// StartPostgres makes a server in a folder of its own below the system's
// temporary one. durable makes each commit wait for the disk, as a hospital's
// would. PostgreSQL refuses to run as root, so root lends it the postgres
// account, which could not enter a folder of root's. Errors: ErrNoPostgres.
func StartPostgres(ctx context.Context, durable bool) (*Postgres, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tocsin-postgres-")
	if err != nil {
		return nil, err
	}
	as, err := account(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr = as
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	settings := []string{
		"-D", data, "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=300", "-c", "shared_buffers=128MB", "-c", "log_min_messages=fatal",
	}
	if !durable {
		settings = append(settings, "-c", "log_min_messages=panic", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "jit=off", "-c", "autovacuum=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0")
	}
	server := exec.Command(filepath.Join(bin, "postgres"), settings...)
	server.SysProcAttr = as
	server.Dir = dir
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	c := &Postgres{
		dir: dir, server: server, URL: fmt.Sprintf("postgres://tocsin@127.0.0.1:%d/tocsin?sslmode=disable", port),
		Socket: fmt.Sprintf("postgres://tocsin@/tocsin?host=%s&port=%d", url.QueryEscape(dir), port),
	}
	return c, c.prepare(ctx, bin, port)
}

// prepare creates the account the tests use: not a superuser, because
// row-level security does not hold one back.
func (c *Postgres) prepare(ctx context.Context, bin string, port int) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		psql := exec.CommandContext(ctx, filepath.Join(bin, "psql"), "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "postgres", "-q", "-v", "ON_ERROR_STOP=1",
			"-c", "CREATE ROLE tocsin LOGIN CREATEDB", "-c", "CREATE DATABASE tocsin OWNER tocsin")
		out, err := psql.CombinedOutput()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("prepare postgres: %w\n%s", err, out), c.Stop())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Stop ends the server and removes its data.
func (c *Postgres) Stop() error {
	if err := c.server.Process.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	if err := c.server.Wait(); err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	return os.RemoveAll(c.dir)
}

func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", ErrNoPostgres
	}
	return found[len(found)-1], nil
}

func account(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{Setpgid: true}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root and there is no postgres account: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
