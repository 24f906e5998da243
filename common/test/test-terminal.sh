#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-terminal - Ctrl-C: a shell inside handles it inside, any other command is
# killed at once, and nothing is left. See pty.c for the lines after <<END.
. "$(dirname "$0")/lib.sh"

nothing_left() {
	! sleeper
}

# sleeper_gets KEY - once `sleep 4711` runs: sooner, a shell may lose the signal
sleeper_gets() {
	eventually sleeper
	echo "send \\$1"
}

acts_inside() {
	status=5
	# In a PID namespace, dash fails to give the terminal back.
	[ "$n" -lt 4 ] || [ -e "$rootfs/bin/busybox" ] || status=2
	{
		cat <<-'END'
		expect #
		send \003
		expect #
		send sleep 4711\r
		END
		sleeper_gets 003
		# What is typed appears, too: only what is printed lacks quotes.
		cat <<-END
		expect #
		send echo "still"" here"\r
		expect still here
		send exit 5\r
		wait $status
		END
	} | on_terminal "$container" "$rootfs"
}

# kills KEY STATUS
kills() {
	{
		sleeper_gets "$1"
		echo "wait $2"
	} | on_terminal "$container" "$rootfs" sleep 4711
	eventually nothing_left
}

# An interactive shell in a PID namespace cannot do that itself.
gets_terminal_back() {
	on_terminal sh -c '"$@"; read -r word; echo "got $word"' sh \
		"$container" "$rootfs" <<-'END'
	expect #
	send exit\r
	send back\r
	expect got back
	wait 0
	END
}

for step in $steps; do
	at_step "$step"
	t "$step: Ctrl-C at a prompt acts inside" acts_inside
	case $n in
	07) t "$step: Ctrl-C kills the command" kills 003 137 ;;
	*) t "$step: Ctrl-C kills the command" kills 003 130 ;;
	esac
	t "$step: after a shell, the terminal is the caller's" gets_terminal_back
	[ "$n" != 02 ] || t "$step: so does Ctrl-\\" kills 034 131
done
done_testing
