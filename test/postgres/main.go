// Command postgres starts a private PostgreSQL for tests, runs a command beside
// it with TOCSIN_TEST_DATABASE_URL (by the network) and TOCSIN_TEST_DATABASE_SOCKET
// set, and stops it again.
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
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"tocsin/internal/bench/ground"
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
	c, err := ground.StartPostgres(ctx, false)
	if errors.Is(err, ground.ErrNoPostgres) {
		return fmt.Errorf("%w: run `make test-deps`", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if serve != "" {
		if err := os.MkdirAll(filepath.Dir(serve), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(serve, []byte(c.URL), 0o644); err != nil {
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
	cmd.Env = append(os.Environ(), "TOCSIN_TEST_DATABASE_URL="+c.URL, "TOCSIN_TEST_DATABASE_SOCKET="+c.Socket)
	return cmd.Run()
}
