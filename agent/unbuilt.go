package agent

import (
	"context"
	"io"

	"earnest/agentclient"
)

func unbuilt() error { return agentclient.Failf(agentclient.CodeInternal, "This is not built yet.") }

func (a *Agent) People(context.Context) ([]agentclient.Person, error) { return nil, nil }
func (a *Agent) SetPerson(context.Context, agentclient.SetPerson) (agentclient.Person, error) {
	return agentclient.Person{}, unbuilt()
}
func (a *Agent) RemovePerson(context.Context, agentclient.PersonID) error { return unbuilt() }

func (a *Agent) Preview(context.Context, agentclient.Compose) ([]agentclient.Preview, error) {
	return nil, unbuilt()
}

func (a *Agent) Discover(context.Context, string) (agentclient.Servers, error) {
	return agentclient.Servers{}, unbuilt()
}
func (a *Agent) BeginLogin(context.Context, agentclient.BeginLogin) (agentclient.Login, error) {
	return agentclient.Login{}, unbuilt()
}
func (a *Agent) ChangeAccount(context.Context, agentclient.AddAccount) (agentclient.Account, error) {
	return agentclient.Account{}, unbuilt()
}
func (a *Agent) Settings(context.Context) (agentclient.Settings, error) {
	return agentclient.Settings{Model: agentclient.ModelFull}, nil
}
func (a *Agent) SetSettings(context.Context, agentclient.Settings) (agentclient.Settings, error) {
	return agentclient.Settings{}, unbuilt()
}
func (a *Agent) LogLines(context.Context) ([]agentclient.LogLine, error) { return nil, nil }
func (a *Agent) Diagnostics(context.Context) (agentclient.Diagnostics, error) {
	return agentclient.Diagnostics{}, unbuilt()
}

func (a *Agent) MailByID(ctx context.Context, id string) (agentclient.Mail, error) {
	m, err := a.mailByID(ctx, id)
	return a.viewMail(m), err
}
func (a *Agent) Source(context.Context, string) (agentclient.Source, error) {
	return agentclient.Source{}, unbuilt()
}

// SaveAttachment implements [agentclient.Agent].
func (a *Agent) SaveAttachment(ctx context.Context, id string, n int, w io.Writer, progress func(done, total int64)) error {
	at, err := a.Attachment(ctx, id, n)
	if err != nil {
		return err
	}
	_, err = w.Write(at.Data)
	if err == nil && progress != nil {
		progress(at.Size, at.Size)
	}
	return err
}
