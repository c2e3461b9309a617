"""The mouth-occlusion network: fitting it, and the covered mouths, real and drawn, that it is fitted and tested on."""
