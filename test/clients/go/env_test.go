// Package clients drives brokers and nameservers with the published Go client, unchanged.
package clients

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// For machines that are busy with other things; nothing waits it out when all is well. The longest that a client may
	// wait on its own account is 80 seconds: for the lock of a queue to expire, and then until it next looks around.
	patience = 180 * time.Second
	poll     = 20 * time.Millisecond
)

// What the suite is told about its cluster.
var env struct {
	nameservers []string
	brokers     []broker
	// host:port where the harness listens for requests about its daemons.
	control string
}

type broker struct {
	name    string
	address string
}

func TestMain(m *testing.M) {
	env.nameservers = strings.Split(os.Getenv("TERN_NAMESERVERS"), ";")
	env.control = os.Getenv("TERN_CONTROL")
	for _, pair := range strings.Split(os.Getenv("TERN_BROKERS"), ",") {
		name, address, found := strings.Cut(pair, "=")
		if !found {
			fmt.Fprintln(os.Stderr, "TERN_NAMESERVERS=host:port;..., TERN_BROKERS=name=host:port,... and TERN_CONTROL=host:port are needed")
			os.Exit(2)
		}
		env.brokers = append(env.brokers, broker{name, address})
	}
	os.Exit(m.Run())
}

var (
	run     = strconv.FormatInt(time.Now().UnixNano(), 36)
	counter int64
)

// unique returns a name that no other test and no other run uses.
func unique(hint string) string {
	return fmt.Sprintf("%s_%s_%d", hint, run, atomic.AddInt64(&counter, 1))
}

// await polls until the condition holds. After the deadline the test fails with the state.
func await(t *testing.T, condition func() bool, state func() string) {
	t.Helper()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for end := time.Now().Add(patience); !condition(); <-ticker.C {
		if time.Now().After(end) {
			t.Fatalf("after %v: %s", patience, state())
		}
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, want, got interface{}) {
	t.Helper()
	if fmt.Sprint(want) != fmt.Sprint(got) {
		t.Fatalf("%s: want %v, got %v", what, want, got)
	}
}

// restart has the harness stop a daemon and start it in place; the harness answers when that is done.
func restart(t *testing.T, daemon string) {
	t.Helper()
	connection, err := net.Dial("tcp", env.control)
	ok(t, err)
	defer connection.Close()
	ok(t, connection.SetDeadline(time.Now().Add(4*patience)))
	_, err = fmt.Fprintf(connection, "restart %s\n", daemon)
	ok(t, err)
	answer, err := bufio.NewReader(connection).ReadString('\n')
	ok(t, err)
	equal(t, "answer of the harness", "ok", strings.TrimSpace(answer))
}
