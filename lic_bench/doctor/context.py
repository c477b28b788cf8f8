"""Runs probes of the codec under test in fresh processes, which may end early or hang."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lic_bench.codec import CodecCard
from lic_bench.doctor import probes
from lic_bench.doctor.probes import Cause, CodecUnderTest, Probe, ProbeFailure, Step
from lic_bench.registry.isolation import ProcessDied, Processes, ProcessStopped


@dataclass(frozen=True)
class ExaminationContext:
    """What all checks of an examination share.

    `other_device` is where bitstreams are decoded as well; None for CUDA or the CPU, where both are here.
    """

    card: CodecCard
    subject: CodecUnderTest
    processes: Processes
    other_device: str | None = None

    @property
    def trained(self) -> bool:
        """Whether the codec has trained weights: from a checkpoint, or its own."""
        return self.subject.weights is not None or self.card.trained

    def run(self, *asked: Probe, subject: CodecUnderTest | None = None, folder: Path | None = None) -> list[Any]:
        """The answer of each probe, or the ProbeFailure in its place.

        When a process ends early, the probe it was at fails and the others run in another process. A probe that runs
        past its time ends the run: whatever hangs once would hang again.
        """
        answers: list[Any] = []
        while len(answers) < len(asked):
            step = None
            try:
                left = asked[len(answers) :]
                for answer in self.processes.run(probes.run, subject or self.subject, left, folder):
                    if isinstance(answer, Step):
                        step = answer
                    else:
                        answers.append(answer)
                        step = None
            except ProcessStopped as error:
                answers.append(ProbeFailure(Cause.TIMED_OUT, str(error), step))
                reason = "not examined, since something before it never ended"
                answers += [ProbeFailure(Cause.NOT_RUN, reason)] * (len(asked) - len(answers))
            except ProcessDied as error:
                answers.append(ProbeFailure(Cause.PROCESS_ENDED, str(error), step))
        return answers
