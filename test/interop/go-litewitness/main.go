// Program interop-litewitness runs torchwood's litewitness as it is: on a free port, with its key in an ssh agent of its own. It ends when
// its input does.
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveKey is an ssh agent with one key; it gives the socket and the fingerprint that litewitness wants.
func serveKey(key ed25519.PrivateKey, folder string) (string, string) {
	keyring := agent.NewKeyring()
	check(keyring.Add(agent.AddedKey{PrivateKey: key}))
	public, err := ssh.NewPublicKey(key.Public())
	check(err)
	socket := filepath.Join(folder, "agent")
	listener, err := net.Listen("unix", socket)
	check(err)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(keyring, connection)
		}
	}()
	return socket, ssh.FingerprintSHA256(public)
}

func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	return listener.Addr().String()
}

func main() {
	program, folder, name := os.Args[1], os.Args[2], os.Args[3]
	seed, err := hex.DecodeString(os.Args[4])
	check(err)
	key := ed25519.NewKeyFromSeed(seed)
	socket, fingerprint := serveKey(key, folder)
	address := freeAddress()
	witness := exec.Command(program, "-name", name, "-db", filepath.Join(folder, "litewitness.db"),
		"-ssh-agent", socket, "-key", fingerprint, "-listen", address)
	said, err := os.Create(filepath.Join(folder, "litewitness.log"))
	check(err)
	witness.Stderr = said
	check(witness.Start())
	ended := make(chan error, 1)
	go func() { ended <- witness.Wait() }()
	for {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
			break
		}
		select {
		case err := <-ended:
			check(fmt.Errorf("litewitness ended: %w", err))
		default:
		}
	}
	cosigner, err := torchwood.NewCosignatureSigner(name, key)
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(map[string]string{"url": "http://" + address, "key": cosigner.Verifier().String()}))
	bufio.NewReader(os.Stdin).ReadString('\n')
	check(witness.Process.Kill())
	<-ended
}
