// Command postgres starts a private PostgreSQL for tests, runs a command beside
// it with TOCSIN_TEST_DATABASE_URL set, and stops it again.
//
//	go run ./test/postgres -- go test ./...
//	go run ./test/postgres -serve .cache/test-postgres.url   # until interrupted
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

func main() {
	serve := flag.String("serve", "", "write the URL in this file and run until interrupted")
	flag.Parse()
	if err := run(*serve, flag.Args()); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			os.Exit(exit.ExitCode())
		}
		log.Fatalf("test PostgreSQL: %v", err)
	}
}

func run(serve string, command []string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if serve != "" {
		if err := os.MkdirAll(filepath.Dir(serve), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(serve, []byte(c.url), 0o644); err != nil {
			return err
		}
		<-ctx.Done()
		return os.Remove(serve)
	}
	if len(command) == 0 {
		return errors.New("no command after --")
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "TOCSIN_TEST_DATABASE_URL="+c.url)
	return cmd.Run()
}

type cluster struct {
	dir, url string
	server   *exec.Cmd
}

// start makes a cluster in a folder of its own. PostgreSQL refuses to run as
// root, so root lends it the postgres account.
func start(ctx context.Context) (*cluster, error) {
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
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=300", "-c", "shared_buffers=128MB", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "log_min_messages=fatal")
	server.SysProcAttr = as
	server.Dir = dir
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	c := &cluster{dir: dir, server: server, url: fmt.Sprintf("postgres://tocsin@127.0.0.1:%d/tocsin?sslmode=disable", port)}
	return c, c.prepare(ctx, bin, port)
}

// prepare creates the account the tests use: not a superuser, because
// row-level security does not hold one back.
func (c *cluster) prepare(ctx context.Context, bin string, port int) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		psql := exec.CommandContext(ctx, filepath.Join(bin, "psql"), "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "postgres", "-q", "-v", "ON_ERROR_STOP=1",
			"-c", "CREATE ROLE tocsin LOGIN CREATEDB", "-c", "CREATE DATABASE tocsin OWNER tocsin")
		out, err := psql.CombinedOutput()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("prepare postgres: %w\n%s", err, out), c.stop())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *cluster) stop() error {
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
		return "", errors.New("PostgreSQL is not installed: run `make test-deps`")
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
