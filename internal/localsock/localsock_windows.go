package localsock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

func listen(path string) (net.Listener, error) {
	pipe, err := pipeName(path)
	if err != nil {
		return nil, err
	}
	sid, err := currentUser()
	if err != nil {
		return nil, err
	}
	// P: nothing inherited; all rights to this user, and to nobody else. A pipe
	// of that name that exists is refused by the first-instance flag of winio.
	l, err := winio.ListenPipe(pipe, &winio.PipeConfig{SecurityDescriptor: "O:" + sid + "D:P(A;;GA;;;" + sid + ")"})
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrExist) || errors.Is(err, windows.ERROR_PIPE_BUSY) {
		return nil, errors.Join(ErrInUse, err)
	}
	return l, err
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	pipe, err := pipeName(path)
	if err != nil {
		return nil, err
	}
	conn, err := winio.DialPipeContext(ctx, pipe)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(ErrNobody, err)
	}
	if err != nil {
		return nil, err
	}
	if err := checkOwner(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// checkOwner refuses a pipe that another user made under our name.
func checkOwner(conn net.Conn) error {
	file, ok := conn.(interface{ Fd() uintptr })
	if !ok {
		return errors.New("the pipe does not tell its owner")
	}
	info, err := windows.GetSecurityInfo(windows.Handle(file.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("the pipe's owner: %w", err)
	}
	owner, _, err := info.Owner()
	if err != nil {
		return fmt.Errorf("the pipe's owner: %w", err)
	}
	sid, err := currentUser()
	if err != nil {
		return err
	}
	if owner.String() != sid {
		return ErrStranger
	}
	return nil
}

func currentUser() (string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", fmt.Errorf("ask who runs this process: %w", err)
	}
	return user.User.Sid.String(), nil
}

// pipeName is the pipe that stands for a path; Windows does not tell letter
// cases apart in paths.
func pipeName(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(abs)))
	return `\\.\pipe\earnest-` + hex.EncodeToString(sum[:16]), nil
}
