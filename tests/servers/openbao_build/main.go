// OpenBao's own command, built as a dependency: its module holds replace directives, which "go install" refuses.
package main

import (
	"os"

	"github.com/openbao/openbao/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
