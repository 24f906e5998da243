#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-terminal - Ctrl-C: a shell inside handles it inside, any other command is
# killed at once, and nothing is left. See pty.c for the lines after <<END.
. "$(dirname "$0")/lib.sh"

# at_terminal COMMAND... - the test may run in the background, where Ctrl-C is
# ignored: the default again.
at_terminal() {
	on_terminal env --default-signal "$@"
}

nothing_left() {
	! sleeper
}

# What is typed appears, too: its quotes tell it from what is printed.
acts_inside() {
	status=5
	# In a PID namespace, dash fails to give the terminal back.
	[ "$n" -lt 4 ] || [ -e "$rootfs/bin/busybox" ] || status=2
	at_terminal "$container" "$rootfs" <<-END
	expect #
	send \003
	expect #
	send sh -c 'echo "run"ning; sleep 4711'\r
	expect running
	send \003
	expect #
	send echo "still"" here"\r
	expect still here
	send exit 5\r
	wait $status
	END
}

# kills KEY STATUS
kills() {
	{
		eventually sleeper
		echo "send \\$1"
		echo "wait $2"
	} | at_terminal "$container" "$rootfs" sleep 4711
	eventually nothing_left
}

for step in $steps; do
	at_step "$step"
	t "$step: Ctrl-C at a prompt acts inside" acts_inside
	case $n in
	07) t "$step: Ctrl-C kills the command" kills 003 137 ;;
	*) t "$step: Ctrl-C kills the command" kills 003 130 ;;
	esac
	[ "$n" != 02 ] || t "$step: so does Ctrl-\\" kills 034 131
done
done_testing
