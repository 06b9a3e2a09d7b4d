"""The Python interface: years and panels as frames, made anew or read back; `import synth` offers what is public."""
