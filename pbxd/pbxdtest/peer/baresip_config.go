package peer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeFiles makes the configuration directory.
func (b *Baresip) writeFiles(controlPort int) error {
	o := b.opts
	amplitude := 0.5
	if o.Tone == 0 {
		amplitude = 0
	}
	tone := filepath.Join(o.Dir, "send.wav")
	// At the rate of the codec: baresip does not filter what it resamples.
	rate := SampleRate
	if strings.HasPrefix(o.Codecs[0], "G722/") {
		rate *= 2
	}
	if err := writeWAV(tone, Sine(o.Tone*SampleRate/float64(rate), amplitude, o.ToneTime*time.Duration(rate/SampleRate)), rate); err != nil {
		return err
	}
	config := []string{
		"poll_method epoll",
		"sip_listen " + b.addr,
		"net_interface " + o.Addr,
		"call_local_timeout 600",
		"call_max_calls 50",
		"audio_source aufile," + tone,
		fmt.Sprintf("ausrc_srate %d", rate),
		"audio_player aubridge,none", // nobody pulls: what arrives is recorded before it gets there
		"audio_alert aubridge,none",
		"snd_path " + o.Dir,
		"jitter_buffer_delay 0-0", // record what arrives, as it arrives
		"rtp_ports 10000-19998",
		"rtp_stats yes",
		"statmode_default off",
		"module_path " + modulePath(),
		"module g711.so", "module g722.so", "module aufile.so", "module aubridge.so", "module sndfile.so",
		"module srtp.so",
		"module_tmp account.so",
		"module_app ctrl_tcp.so", "module_app menu.so",
		fmt.Sprintf("ctrl_tcp_listen 127.0.0.1:%d", controlPort),
	}
	contacts := "# none\n"
	if o.Watch != "" {
		config = append(config, "module_app presence.so", "module_app contact.so")
		contacts = fmt.Sprintf("\"%s\" <sip:%[1]s@%s>;presence=p2p\n", o.Watch, o.Registrar)
	}
	// The account comes over the control connection: one in the file would
	// register before there is anybody to tell.
	for name, text := range map[string]string{"config": strings.Join(config, "\n") + "\n", "accounts": "# none at the start\n", "contacts": contacts} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// account returns the line that makes the user agent.
func (b *Baresip) account() string {
	o := b.opts
	domain := o.Registrar
	if domain == "" {
		domain = b.addr
	}
	answer := "manual"
	if o.AutoAnswer {
		answer = "auto"
	}
	line := fmt.Sprintf("<sip:%s@%s;transport=%s>;regint=%d;answermode=%s;audio_codecs=%s",
		o.User, domain, o.Transport, int(o.Expires/time.Second), answer, strings.Join(o.Codecs, ","))
	if o.Encryption != "" {
		line += ";mediaenc=" + o.Encryption
	}
	if o.Password != "" { // without one baresip must not learn of a user to authenticate: it would ask for the password
		user := o.AuthUser
		if user == "" {
			user = o.User
		}
		line += fmt.Sprintf(";auth_user=%s;auth_pass=%s", user, o.Password)
	}
	return line
}

// modulePath returns where the distribution keeps baresip's modules.
func modulePath() string {
	for _, dir := range []string{"/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"} {
		if _, err := os.Stat(filepath.Join(dir, "ctrl_tcp.so")); err == nil {
			return dir
		}
	}
	matches, err := filepath.Glob("/usr/lib/*/baresip/modules") // multiarch
	if err != nil || len(matches) == 0 {
		return "/usr/lib/baresip/modules"
	}
	return matches[0]
}
