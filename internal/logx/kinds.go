package logx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"syscall"
)

// Kinds says of what kinds an error is, and nothing of what it says: texts of
// errors name hosts, files and addresses.
func Kinds(err error) string {
	var kinds []string
	gather(err, 0, &kinds)
	return "[" + strings.Join(kinds, " ") + "]"
}

const (
	maxKinds     = 12
	maxKindDepth = 20
)

func gather(err error, depth int, kinds *[]string) {
	if err == nil || depth > maxKindDepth || len(*kinds) >= maxKinds {
		return
	}
	if kind := kindOf(err); kind != "" && !slices.Contains(*kinds, kind) {
		*kinds = append(*kinds, kind)
	}
	switch wrapped := err.(type) {
	case interface{ Unwrap() error }:
		gather(wrapped.Unwrap(), depth+1, kinds)
	case interface{ Unwrap() []error }:
		for _, inner := range wrapped.Unwrap() {
			gather(inner, depth+1, kinds)
		}
	}
}

func kindOf(err error) string {
	if number, ok := err.(syscall.Errno); ok {
		return fmt.Sprintf("errno %d", int(number))
	}
	// Sentinels are compared as they are: what wraps them is looked at by itself.
	for _, known := range []struct {
		err  error
		kind string
	}{{io.EOF, "EOF"}, {io.ErrUnexpectedEOF, "unexpected EOF"}, {context.Canceled, "canceled"}, {context.DeadlineExceeded, "deadline exceeded"},
		{fs.ErrNotExist, "not exist"}, {fs.ErrPermission, "permission"}, {errors.ErrUnsupported, "unsupported"}} {
		if err == known.err { //nolint:errorlint // see above
			return known.kind
		}
	}
	kind := fmt.Sprintf("%T", err)
	switch kind {
	case "*fmt.wrapError", "*fmt.wrapErrors", "*errors.joinError", "*errors.errorString":
		return "" // says nothing
	}
	if valuer, ok := err.(slog.LogValuer); ok {
		kind += bareGroup(valuer.LogValue().Resolve())
	}
	return kind
}

// bareGroup is what an error tells of itself for logs.
func bareGroup(value slog.Value) string {
	if value.Kind() != slog.KindGroup {
		return ""
	}
	var parts []string
	for _, a := range value.Group() {
		parts = append(parts, a.Key+"="+bareValue(a.Key, a.Value.Resolve()))
	}
	return "{" + strings.Join(parts, " ") + "}"
}
