// Package tomlfile reads files of settings: what a program does not know is a
// mistake of whoever wrote it, and is named.
package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Decode reads TOML and refuses settings that into has no place for.
func Decode(text []byte, into any) error {
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into)
	strict, ok := errors.AsType[*toml.StrictMissingError](err)
	if !ok {
		return err
	}
	var unknown []string
	for i := range strict.Errors {
		unknown = append(unknown, strings.Join(strict.Errors[i].Key(), "."))
	}
	return fmt.Errorf("unknown settings: %s", strings.Join(unknown, ", "))
}
